import PipelineDSL
import SystemPackage

/// What is found in a place of caches.
enum FoundCache: Sendable {
  /// A cache, and where its layers can be had.
  case document(CacheDocument, blobs: any BlobSource)
  /// Images that tell of the steps that made them.
  case images([ResolvedImage])
}

/// Where caches are kept for other machines.
protocol CachePlace: Sendable {
  /// What is there; nil where nothing is. Of an image those for some platforms are looked at.
  /// Blocks.
  func read(for platforms: [Platform]) throws -> FoundCache?

  /// Adds to what is there.
  ///
  /// Two writers at once lose nothing of each other: what one of them overwrites, it finds missing
  /// and adds again. `blobs` holds every layer of the document.
  func add(
    _ document: CacheDocument, blobs: [RegistryPush.Blob], scratch: FilePath
  ) async throws
}

extension CachePlace {
  /// The images of a name that tell of their steps, each found by `resolve`.
  ///
  /// - Throws: where there is none for any of the platforms, or none tells of its steps.
  func images(
    for platforms: [Platform], _ subject: String, resolve: (Platform) throws -> ResolvedImage
  ) throws -> [ResolvedImage] {
    var found: [Digest: ResolvedImage] = [:]
    var failure: (any Error)?
    for platform in platforms {
      do {
        let image = try resolve(platform)
        found[image.digest] = image
      } catch let error as Diagnostic {
        failure = failure ?? error
      }
    }
    if found.isEmpty, let failure { throw failure }
    let images = found.values.filter { $0.cache != nil }.sorted { $0.digest < $1.digest }
    guard !images.isEmpty else {
      throw Diagnostic(
        "\(subject) is an image that holds no cache, or another program's cache",
        help: "build it with --cache-to type=inline, or give the cache a name of its own")
    }
    return images
  }
}
