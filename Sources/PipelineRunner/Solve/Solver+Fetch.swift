import Glibc
import PipelineDSL
import SystemPackage

extension Solver {
  /// Fetches what `ADD` names by URL into a layer of its own.
  ///
  /// A commit and a file with a checksum are what they are, so their records serve without asking
  /// anybody; a name is asked for once in a build (cache.md K11).
  func fetch(_ source: RemoteSource, _ operation: Operation) async throws -> OperationResult {
    switch source {
    case .git(let git): try await fetch(git, operation)
    case .file(let url, let checksum):
      try await fetch(url, checksum: checksum.flatMap { Digest($0) }, operation)
    }
  }

  private func fetch(_ source: GitSource, _ operation: Operation) async throws -> OperationResult {
    let commit = try await blocking {
      try GitCheckout(source: source).commit()
    }
    var key = CacheKey("git")
    key.add("repository", source.remote)
    key.add("commit", commit)
    key.add("subdirectory", source.subdirectory)
    key.add(
      "parts",
      [
        source.keepsGitDirectory ? "git directory of \(source.reference ?? "")" : "",
        source.hasSubmodules ? "submodules" : "",
      ])
    if let record = try recall(key) { return cached(record, over: .scratch, key) }
    let claim = try await store.claim(key.digest)
    defer { withExtendedLifetime(claim) {} }
    if let record = try recall(key) { return cached(record, over: .scratch, key) }
    begin(operation)
    return try await keep(key) { workspace in
      try GitCheckout(source: source).checkOut(
        commit, into: workspace.upper, scratch: workspace.scratch)
    }
  }

  private func fetch(
    _ url: String, checksum: Digest?, _ operation: Operation
  ) async throws -> OperationResult {
    var key = CacheKey("download")
    key.add("url", url)
    key.add("checksum", checksum.map { "\($0)" } ?? "")
    let known = try recall(key)
    if let known, checksum != nil { return cached(known, over: .scratch, key) }
    let name = RemoteSource.fileName(of: url)
    let validators = Validators(known?.parts ?? [])
    begin(operation)
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let file = workspace.upper.appending(name)
    guard let answer = try await inputs.downloads.get(url, unless: validators, into: file) else {
      guard let known else { throw Diagnostic("'\(url)' says it has not changed, and is not here") }
      return cached(known, over: .scratch, key)
    }
    if let checksum, answer.digest != checksum {
      throw Diagnostic(
        "digest mismatch \(answer.digest): \(checksum)",
        notes: [.init("that is what '\(RemoteSource.withoutPassword(url))' holds now")],
        help:
          "once you know that the new content is right, correct --checksum, or the lock file with 'update'"
      )
    }
    return try adopt(workspace, key: key, parts: answer.validators.parts)
  }

  /// Lets `fill` write a layer, and remembers it under a key.
  private func keep(
    _ key: CacheKey, fill: @escaping @Sendable (Workspace) throws -> Void
  ) async throws -> OperationResult {
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    try await blocking { try fill(workspace) }
    return try adopt(workspace, key: key, parts: [])
  }

  private func adopt(
    _ workspace: Workspace, key: CacheKey, parts: [CacheKey.Part]
  ) throws -> OperationResult {
    let content = try LayerContent(of: workspace.upper)
    try store.adopt(workspace, as: content)
    let layer = content.id
    let record = Record(layer: layer, created: time(nil), seconds: 0, parts: key.parts + parts)
    try store.setRecord(record, for: key.digest)
    return OperationResult(
      layers: [layer], own: layer, created: record.created, status: .ran(because: nil), seconds: 0,
      keys: [key.digest])
  }

  /// The file of a download as the copier reads it; its time is the server's Last-Modified.
  func download(_ tree: TreeReference, name: String) async throws -> CopyRequest.Source {
    guard let layer = layers(of: tree).last else {
      preconditionFailure("a download is fetched before it is copied")
    }
    try await bases.ensure(layer)
    let file = store.directory(of: layer).appending(name)
    var status = stat()
    try Call.check("stat", file) { lstat($0, &status) }
    return .download(
      file: file.bytes, name: Array(name.utf8), modified: status.st_mtim.tv_sec)
  }
}

/// Fetches files by URL.
protocol Downloads: Sendable {
  /// Downloads into a new file, with its modification time set to Last-Modified where the server
  /// gives one and to 0 otherwise; nil where the server says that `validators` still hold.
  func get(
    _ url: String, unless validators: Validators, into file: FilePath
  ) async throws -> DownloadAnswer?
}

/// What a download came to.
struct DownloadAnswer: Sendable {
  var digest: Digest
  var validators: Validators
}

/// What a server said to tell later whether a file has changed.
struct Validators: Hashable, Sendable {
  var entityTag: String?
  var lastModified: String?

  init(entityTag: String? = nil, lastModified: String? = nil) {
    self.entityTag = entityTag
    self.lastModified = lastModified
  }

  /// Reads them from a record's parts.
  init(_ parts: [CacheKey.Part]) {
    entityTag = parts.first { $0.label == "etag" }?.value
    lastModified = parts.first { $0.label == "last-modified" }?.value
  }

  var parts: [CacheKey.Part] {
    [("etag", entityTag), ("last-modified", lastModified)].compactMap { label, value in
      value.map { CacheKey.Part(label, $0) }
    }
  }
}
