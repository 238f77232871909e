import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// A cache in an OCI layout in a directory, such as one that a CI system keeps between runs.
struct LocalCachePlace: CachePlace {
  var directory: FilePath
  var tag: String

  private static let lockName = ".cache-lock"

  private var subject: String { "'\(directory)'" }

  func read(for platforms: [Platform]) throws -> FoundCache? {
    switch try manifest(orOnlyOne: true) {
    case nil: return nil
    case .cache(let manifest):
      let document = try CacheDocument(reading: try document(manifest.config.digest), subject)
      return .document(document, blobs: LayoutBlobSource(directory: directory))
    case .other(let digest):
      let reader = OCILayoutReader(files: .directory(directory))
      let images = try images(for: platforms, "'\(tag)' in \(subject)") { platform in
        try reader.resolve(.digest(digest), platform: platform)
      }
      return .images(images)
    }
  }

  private enum Entry {
    case cache(ImageManifest)
    case other(Digest)
  }

  private func current() throws -> CacheDocument? {
    switch try manifest(orOnlyOne: false) {
    case nil: return nil
    case .cache(let manifest):
      return try CacheDocument(reading: try document(manifest.config.digest), subject)
    case .other:
      throw Diagnostic(
        "'\(tag)' in \(subject) is an image, and no cache", help: "give the cache another tag=")
    }
  }

  /// What the tag names, or what a layout holds that has one entry and no name for it.
  private func manifest(orOnlyOne: Bool) throws -> Entry? {
    guard let bytes = try FileContent.readIfPresent(directory.appending("index.json")) else {
      return nil
    }
    guard
      case .index(let index) = try ManifestDocument(
        parsing: bytes, mediaType: nil, place: "'index.json' in \(subject)")
    else { throw Diagnostic("'index.json' in \(subject) is no index") }
    let entry = index.manifests.first {
      $0.annotations?[Annotation.referenceName] == tag
    }
    guard let entry = entry ?? (orOnlyOne ? index.onlyUnnamed : nil) else { return nil }
    guard
      case .image(let manifest) = try ManifestDocument(
        parsing: try document(entry.digest), mediaType: nil,
        place: "the manifest of \(tag) in \(subject)"),
      manifest.config.mediaType == CacheDocument.mediaType
    else { return .other(entry.digest) }
    return .cache(manifest)
  }

  private func document(_ digest: Digest) throws -> [UInt8] {
    let bytes = try FileContent.read(LayoutBlobSource(directory: directory).file(digest))
    guard SHA256Hasher.digest(of: bytes) == digest else {
      throw Diagnostic("\(digest) in \(subject) has other content than its digest says")
    }
    return bytes
  }

  func add(
    _ document: CacheDocument, blobs: [RegistryPush.Blob], scratch: FilePath
  ) async throws {
    try await blocking { try prepare() }
    var files: [Digest: FilePath] = [:]
    for blob in blobs {
      let digest = blob.descriptor.digest
      let present = LayoutBlobSource(directory: directory).file(digest)
      if (try? FileSlice(opening: present))?.size == blob.descriptor.size { continue }
      files[digest] = try await blob.file()
    }
    // One writer after another: reading, merging and writing are one step.
    let lock = try await FileLock.wait(directory.appending(Self.lockName), at: 0)
    defer { withExtendedLifetime(lock) {} }
    let found = files
    try await blocking {
      let merged = document.merging(try current() ?? CacheDocument())
      let (documents, manifest) = try merged.bundle()
      let known = LayoutBlobSource(directory: directory)
      let bundle = ImageBundle(
        root: documents[documents.count - 1].descriptor, documents: documents,
        layers: manifest.layers, manifests: [manifest])
      try LayoutWriter(
        bundle: bundle, names: ["cache:\(tag)"], created: nil,
        blob: { found[$0] ?? known.file($0) }
      ).write(into: directory)
    }
  }

  /// Makes an empty directory a layout, so that the lock may lie in it.
  private func prepare() throws {
    try DirectoryTree.make(directory, mode: 0o755)
    let marker = "oci-layout"
    let names = try DirectoryTree.names(in: directory)
    // Another writer may be about to make it a layout, too.
    guard !names.contains(marker),
      names.allSatisfy({ $0 == Self.lockName || $0.hasPrefix("\(marker).") })
    else { return }
    try FileContent.replace(
      directory.appending("oci-layout"), with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
  }
}

extension ImageIndex {
  /// The only entry, where it has no name.
  fileprivate var onlyUnnamed: Descriptor? {
    guard manifests.count == 1, manifests[0].imageNames.isEmpty else { return nil }
    return manifests[0]
  }
}

/// The blobs of a layout in a directory.
private struct LayoutBlobSource: BlobSource {
  var directory: FilePath

  func file(_ digest: Digest) -> FilePath {
    directory.appending("blobs").appending("sha256").appending(digest.hex)
  }

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    try FileSlice(opening: file(descriptor.digest)).reader()
  }
}
