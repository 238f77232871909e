import FoundationEssentials
import PipelineDSL
import Synchronization
import SystemPackage

/// Images in registries, as bases of a build.
///
/// A tag is resolved once: the digest it had then is what the whole build uses (K11).
final class RegistryImages: Sendable {
  private let client: RegistryClient
  /// Keeps manifests and configs, which a later build need not fetch again.
  private let documents: DocumentCache
  private let digests = Mutex<[RegistryReference: Digest]>([:])

  private let store: Store

  init(client: RegistryClient, store: Store) {
    self.client = client
    self.store = store
    documents = DocumentCache(directory: store.path.appending("documents"))
  }

  /// Finds the image of a platform and reads its config; layers stay in the registry.
  ///
  /// - Throws: a diagnostic that names the registry, the reference and what to do. Blocks.
  func resolve(_ reference: RegistryReference, platform: Platform) throws -> ResolvedImage {
    let subject = "'\(reference)'"
    let sources = try client.sources(of: reference)
    var document = try top(reference, sources, subject)
    // An index may name further ones; a chain of them ends.
    for _ in 0..<4 {
      // Servers also send types that name no document; those say nothing.
      let type = document.mediaType.flatMap {
        MediaType.isIndex($0) || MediaType.isManifest($0) ? $0 : nil
      }
      let read = try ManifestDocument(
        parsing: document.bytes, mediaType: type, place: "the manifest of \(subject)")
      switch read {
      case .image(let manifest):
        return try image(manifest, document.digest, sources, subject)
      case .index(let index):
        guard let chosen = PlatformChoice.best(for: platform, among: index.manifests) else {
          throw Diagnostic(
            "\(subject) has no image for \(platform)",
            help: "it has \(PlatformChoice.names(index.manifests))")
        }
        document = try fetch(chosen.digest, sources, subject)
      }
    }
    throw Diagnostic("the index of \(subject) names indexes more than four levels deep")
  }

  private func top(
    _ reference: RegistryReference, _ sources: [RegistryRepository], _ subject: String
  ) throws -> RegistryRepository.Document {
    if let digest = reference.digest ?? digests.withLock({ $0[reference] }) {
      return try fetch(digest, sources, subject)
    }
    let tag = reference.tag ?? "latest"
    let document = try first(of: sources) { source in
      if let digest = try source.digest(ofTag: tag, subject) {
        if let kept = documents.bytes(of: digest) {
          return RegistryRepository.Document(bytes: kept, digest: digest, mediaType: nil)
        }
        return try source.document("\(digest)", subject)
      }
      return try source.document(tag, subject)
    }
    guard let document else {
      throw Diagnostic(
        "\(subject): not found in the registry '\(reference.registry)'",
        help:
          "check the name and the tag; it may also be private: 'pipeline login \(reference.registry)'"
      )
    }
    documents.keep(document.bytes, as: document.digest)
    return digests.withLock { digests in
      // Two stages may have asked at once; both use what came first.
      if digests[reference] == nil { digests[reference] = document.digest }
      return document
    }
  }

  private func fetch(
    _ digest: Digest, _ sources: [RegistryRepository], _ subject: String
  ) throws -> RegistryRepository.Document {
    if let kept = documents.bytes(of: digest) {
      return RegistryRepository.Document(bytes: kept, digest: digest, mediaType: nil)
    }
    let document = try first(of: sources) { try $0.document("\(digest)", subject) }
    guard let document else {
      throw Diagnostic(
        "the registry '\(sources.last?.endpoint.name ?? "")' has no manifest \(digest) of \(subject)",
        help: "check the digest, or name a tag")
    }
    documents.keep(document.bytes, as: digest)
    return document
  }

  private func image(
    _ manifest: ImageManifest, _ digest: Digest, _ sources: [RegistryRepository],
    _ subject: String
  ) throws -> ResolvedImage {
    let config: [UInt8]
    if let kept = documents.bytes(of: manifest.config.digest) {
      config = kept
    } else {
      let limit = 8 << 20
      config =
        try first(of: sources) {
          try $0.smallBlob(manifest.config, limit: limit, subject)
        } ?? []
      documents.keep(config, as: manifest.config.digest)
    }
    let configuration: ImageConfiguration
    do {
      configuration = try JSONDecoder().decode(ImageConfiguration.self, from: Data(config))
    } catch {
      throw Diagnostic("the config of \(subject) is not that of an image")
    }
    let diffIDs = configuration.rootfs.diffIDs
    guard diffIDs.count == manifest.layers.count else {
      throw Diagnostic(
        "\(subject) has \(manifest.layers.count) layers in its manifest and \(diffIDs.count) in its config"
      )
    }
    let blobs = RegistryBlobs(repositories: sources, subject: subject, store: store)
    let layers = zip(diffIDs, manifest.layers).map {
      BaseLayer(diffID: $0, descriptor: $1, blobs: blobs)
    }
    var image = ResolvedImage(digest: digest, configuration: configuration, layers: layers)
    image.cache = InlineCache(inConfiguration: config)
    return image
  }

  /// What the first server that has it gives; a mirror's failure is not the build's.
  private func first<Value>(
    of sources: [RegistryRepository], _ body: (RegistryRepository) throws -> Value?
  ) throws -> Value? {
    for mirror in sources.dropLast() {
      if let value = try? body(mirror) { return value }
      try Cancellation.check()
    }
    return try sources.last.flatMap(body)
  }
}
