import Glibc
import PipelineDSL
import SystemPackage

/// The cache directories that one step has mounted (cache.md section 6).
///
/// An id never becomes a path, its digest does (threat 18). The platform is part of the identity:
/// one directory shared across processors corrupts what tools keep there.
struct CacheMounts {
  private let store: Store
  private let platform: Platform
  private let imported: ImportedCache?
  private let report: @Sendable (BuildEvent) -> Void
  private var directories: [String: FilePath] = [:]
  private var clones: [Workspace] = []
  private var locks: [FileLock] = []

  /// Creates none yet; empty ones are filled from `imported`, of which `report` is told.
  init(
    store: Store, platform: Platform, imported: ImportedCache? = nil,
    report: @escaping @Sendable (BuildEvent) -> Void = { _ in }
  ) {
    self.store = store
    self.platform = platform
    self.imported = imported
    self.report = report
  }

  /// What tells two mounts apart on this and every other machine.
  static func identity(_ id: String, platform: Platform) -> Digest {
    var key = CacheKey("cache")
    key.add("id", id)
    key.add("platform", "\(platform)")
    return key.digest
  }

  /// Makes a cache ready; call in the order of ids, so that two steps cannot wait for each other.
  ///
  /// `seed` tells whether it filled a new one, mode and owner included.
  mutating func open(
    _ cache: CacheAction, seed: (Workspace) async throws -> Bool
  ) async throws {
    guard directories[cache.id] == nil else { return }
    let identity = Self.identity(cache.id, platform: platform)
    let path = store.path(of: .cache(identity))
    try store.hold(.cache(identity))
    let claims = Self.claims(store)
    let offset = Store.lockOffset(identity)
    switch cache.sharing {
    case .shared: break
    case .locked: locks.append(try await FileLock.wait(claims, at: offset))
    case .private:
      guard let lock = try FileLock.attempt(claims, at: offset) else {
        let clone = try store.makeWorkspace(below: .empty)
        clones.append(clone)
        try Self.setAttributes(clone.upper, cache)
        directories[cache.id] = clone.upper
        return
      }
      locks.append(lock)
    }
    try await fill(path, cache, identity)
    locks.append(try await FileLock.wait(Self.users(store), at: offset, .shared))
    try await make(path, cache, seed)
    directories[cache.id] = path
  }

  /// The file whose bytes stand for mounts that only one step at a time may use.
  static func claims(_ store: Store) -> FilePath { store.path.appending("cache-claims") }

  /// The file whose bytes are locked shared by the users of mounts, and alone by who fills one.
  private static func users(_ store: Store) -> FilePath { store.path.appending("cache-users") }

  func directory(of cache: CacheAction) -> FilePath {
    directories[cache.id] ?? store.empty
  }

  /// Drops the locks and what was made for this step alone.
  mutating func close() {
    for clone in clones { store.remove(clone) }
    clones = []
    locks = []
  }

  /// Fills a mount that is empty or not there with what another machine had in it.
  ///
  /// Nobody is at work in it meanwhile, and who comes later waits. A build goes on without, as
  /// what a mount holds decides nothing but how long a step takes.
  private func fill(_ path: FilePath, _ cache: CacheAction, _ identity: Digest) async throws {
    guard let source = imported?.mount(identity), try Self.isEmpty(path),
      let lock = try FileLock.attempt(Self.users(store), at: Store.lockOffset(identity))
    else { return }
    defer { withExtendedLifetime(lock) {} }
    guard try Self.isEmpty(path) else { return }
    let store = store
    let start = ContinuousClock.now
    do {
      try await blocking {
        let workspace = try store.makeWorkspace(below: .empty)
        defer { store.remove(workspace) }
        _ = try source.unpack(into: workspace.upper)
        try Self.setAttributes(workspace.upper, cache)
        try Call.rename(workspace.upper, to: path)
      }
    } catch {
      if error is CancellationError { throw error }
      let what = "the cache mount '\(cache.id)' stays empty"
      var warning =
        error as? Diagnostic ?? (error as? SystemError)?.diagnostic(what) ?? Diagnostic(what)
      warning.severity = .warning
      if warning.message != what { warning.notes.append(.init(what)) }
      return report(.warning(warning))
    }
    let size = SizeText.text(source.descriptor.size)
    report(
      .task(
        "filled the cache mount '\(cache.id)' (\(size))",
        seconds: (ContinuousClock.now - start).seconds))
  }

  /// Whether nothing is in a directory, or it is not there.
  static func isEmpty(_ path: FilePath) throws(SystemError) -> Bool {
    do {
      return try DirectoryTree.isEmpty(path)
    } catch {
      guard error.code == ENOENT else { throw error }
      return true
    }
  }

  /// Makes a cache that is not there: seeded or empty, by rename, so that it is whole or absent.
  private func make(
    _ path: FilePath, _ cache: CacheAction, _ seed: (Workspace) async throws -> Bool
  ) async throws {
    var status = stat()
    if path.withPlatformString({ lstat($0, &status) }) == 0 { return }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    if try await !seed(workspace) { try Self.setAttributes(workspace.upper, cache) }
    do {
      try Call.rename(workspace.upper, to: path)
    } catch {
      // Another step made it first.
      guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
    }
  }

  private static func setAttributes(_ path: FilePath, _ cache: CacheAction) throws {
    if !FileRecord.keepsOwners {
      try Call.check("chown", path) { lchown($0, cache.uid, cache.gid) }
    }
    try Call.check("chmod", path) { chmod($0, mode_t(cache.mode)) }
  }
}
