import FoundationEssentials
import PipelineDSL
import SystemPackage

/// A cache under a tag of a repository.
struct RegistryCachePlace: CachePlace {
  private let reference: RegistryReference
  private let push: RegistryPush
  private let reading: RegistryRepository
  private let store: Store

  private var subject: String { push.subject }
  private var tag: String { reference.tag ?? "latest" }

  init(_ reference: RegistryReference, client: RegistryClient, store: Store) throws {
    self.reference = reference
    self.store = store
    push = try RegistryPush(reference, client: client)
    reading = try client.repository(of: reference)
  }

  func read() throws -> (document: CacheDocument, blobs: any BlobSource)? {
    guard let document = try current(of: reading) else { return nil }
    return (document, RegistryBlobs(repositories: [reading], subject: subject, store: store))
  }

  private func current(of repository: RegistryRepository) throws -> CacheDocument? {
    guard let found = try repository.document(tag, subject) else { return nil }
    guard
      case .image(let manifest) = try ManifestDocument(
        parsing: found.bytes, mediaType: nil, place: "the manifest of \(subject)"),
      manifest.config.mediaType == CacheDocument.mediaType
    else {
      throw Diagnostic(
        "\(subject) is an image or another program's cache, and no cache of this one",
        help: "give the cache a name of its own")
    }
    let bytes = try repository.smallBlob(manifest.config, limit: 64 << 20, subject)
    return try CacheDocument(reading: bytes, subject)
  }

  func add(
    _ document: CacheDocument, blobs: [RegistryPush.Blob], scratch: FilePath
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for blob in blobs { group.addTask { try await push.ensure(blob) } }
      try await group.waitForAll()
    }
    for attempt in 0..<Self.attempts {
      let there = try await blocking { try current(of: push.repository) }
      if attempt > 0, let there, there.contains(document) { return }
      let merged = document.merging(there ?? CacheDocument())
      try await push.push(
        blobs: [], documents: try merged.bundle().documents, scratch: scratch, tag: tag)
      // Who read the tag before this write and wrote after it took it away again. Registries have
      // no conditional writes, so it is looked for once the other one must be done.
      try await blocking { try push.repository.endpoint.retries.wait(Self.pause) }
    }
    let last = try await blocking { try current(of: push.repository) }
    guard let last, last.contains(document) else {
      throw Diagnostic(
        "others write the cache \(subject) all the time; this one was lost \(Self.attempts) times",
        help: "give each writer a tag of its own, and name them all with --cache-from")
    }
  }

  private static let attempts = 6
  /// Longer than a reader takes to write: one small blob and one manifest.
  private static let pause = 1.0
}

extension CacheDocument {
  /// Reads a document.
  ///
  /// - Throws: where it is none, or of a later version.
  init(reading bytes: [UInt8], _ subject: String) throws {
    struct Version: Decodable {
      var version: Int
    }
    let data = Data(bytes)
    guard let version = try? JSONDecoder().decode(Version.self, from: data).version else {
      throw Diagnostic("\(subject) holds no cache that can be read")
    }
    guard version == Self.currentVersion else {
      throw Diagnostic(
        "the cache \(subject) was written by another version of this program",
        help: "give the cache another name")
    }
    do {
      self = try JSONDecoder().decode(CacheDocument.self, from: data)
    } catch {
      throw Diagnostic("the cache \(subject) is malformed")
    }
  }
}
