import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// A cache in an OCI layout in a directory, such as one that a CI system keeps between runs.
struct LocalCachePlace: CachePlace {
  var directory: FilePath
  var tag: String

  private var subject: String { "'\(directory)'" }

  func read() throws -> (document: CacheDocument, blobs: any BlobSource)? {
    guard let document = try current() else { return nil }
    return (document, LayoutBlobSource(directory: directory))
  }

  private func current() throws -> CacheDocument? {
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
    guard let entry else { return nil }
    guard
      case .image(let manifest) = try ManifestDocument(
        parsing: try document(entry.digest), mediaType: nil,
        place: "the manifest of \(tag) in \(subject)"),
      manifest.config.mediaType == CacheDocument.mediaType
    else {
      throw Diagnostic(
        "'\(tag)' in \(subject) is an image, and no cache", help: "give the cache another tag=")
    }
    return try CacheDocument(reading: try document(manifest.config.digest), subject)
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
    let lock = try await FileLock.wait(directory.appending(".cache-lock"), at: 0)
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
    guard try DirectoryTree.names(in: directory).isEmpty else { return }
    try FileContent.replace(
      directory.appending("oci-layout"), with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
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
