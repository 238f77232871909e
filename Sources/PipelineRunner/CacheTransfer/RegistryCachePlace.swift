import FoundationEssentials
import PipelineDSL
import SystemPackage

/// A cache under a tag of a repository.
struct RegistryCachePlace: CachePlace {
  private let reference: RegistryReference
  private let push: RegistryPush
  private let reading: RegistryRepository
  private let images: RegistryImages
  private let store: Store

  private var subject: String { push.subject }
  private var tag: String { reference.tag ?? "latest" }
  /// What is read: a digest where one is given.
  private var name: String { reference.digest.map { "\($0)" } ?? tag }

  init(_ reference: RegistryReference, client: RegistryClient, store: Store) throws {
    self.reference = reference
    self.store = store
    push = try RegistryPush(reference, client: client)
    reading = try client.repository(of: reference)
    images = RegistryImages(client: client, store: store)
  }

  func read(for platforms: [Platform]) throws -> FoundCache? {
    guard let found = try reading.document(name, subject) else { return nil }
    if let document = try cache(found, in: reading) {
      return .document(
        document, blobs: RegistryBlobs(repositories: [reading], subject: subject, store: store))
    }
    // Several platforms are those of one image, whatever the tag names meanwhile.
    var pinned = reference
    pinned.digest = found.digest
    let images = try images(for: platforms, subject) { [pinned] platform in
      try self.images.resolve(pinned, platform: platform)
    }
    return .images(images)
  }

  /// The cache under the tag; nil where nothing is.
  ///
  /// - Throws: where something else is.
  private func current(of repository: RegistryRepository) throws -> CacheDocument? {
    try repository.document(tag, subject).map(written)
  }

  private func cache(
    _ found: RegistryRepository.Document, in repository: RegistryRepository
  ) throws -> CacheDocument? {
    guard
      case .image(let manifest) = try ManifestDocument(
        parsing: found.bytes, mediaType: nil, place: "the manifest of \(subject)"),
      manifest.config.mediaType == CacheDocument.mediaType
    else { return nil }
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
    let wait = push.repository.endpoint.retries.wait
    for attempt in 0..<Self.attempts {
      let there = try await blocking { try push.repository.document(tag, subject) }
      let known = try await blocking { try there.flatMap(written) }
      if attempt > 0, let known, known.contains(document) { return }
      let documents = try document.merging(known ?? CacheDocument()).bundle().documents
      try await push.ensure(of: documents, scratch: scratch)
      // What was sent meanwhile is small, and yet most of what another writer can fall between.
      let now = try await blocking { try push.repository.document(tag, subject)?.digest }
      if now == there?.digest {
        try await blocking { try push.put(documents[documents.count - 1], as: tag) }
      }
      // Who looked at the tag before this write and wrote after it took it away again. Registries
      // have no conditional writes, so it is looked for once the other one must be done. Writers
      // that came at once go on at different times, the longer the more of them there seem to be.
      let spread = Double.random(in: 0...min(0.25 * Double(attempt + 1), 2))
      try await blocking { try wait((now == there?.digest ? Self.pause : 0) + spread) }
    }
    let last = try await blocking { try current(of: push.repository) }
    guard let last, last.contains(document) else {
      throw Diagnostic(
        "others write the cache \(subject) all the time; this one was lost \(Self.attempts) times",
        help: "give each writer a tag of its own, and name them all with --cache-from")
    }
  }

  /// The cache that a document is.
  ///
  /// - Throws: where it is something else, which is not to be written over.
  private func written(_ found: RegistryRepository.Document) throws -> CacheDocument {
    guard let document = try cache(found, in: push.repository) else {
      throw Diagnostic(
        "\(subject) is an image or another program's cache, and no cache of this one",
        help: "give the cache a name of its own")
    }
    return document
  }

  /// Enough for some dozens of writers that begin at the same moment.
  private static let attempts = 40
  /// Longer than a writer takes from its last look to its write: one manifest.
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
