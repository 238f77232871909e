import SystemPackage

/// Manifests and configs by digest, kept as files and checked when they are read.
struct DocumentCache: Sendable {
  var directory: FilePath

  func bytes(of digest: Digest) -> [UInt8]? {
    guard let bytes = try? FileContent.readIfPresent(directory.appending(digest.hex)),
      SHA256Hasher.digest(of: bytes) == digest
    else { return nil }
    return bytes
  }

  /// Keeps a document; where that fails it is fetched again another time.
  func keep(_ bytes: [UInt8], as digest: Digest) {
    guard bytes.count <= 8 << 20 else { return }
    try? DirectoryTree.make(directory, mode: 0o755)
    try? FileContent.replace(directory.appending(digest.hex), with: bytes)
  }
}
