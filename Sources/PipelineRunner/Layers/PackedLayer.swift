/// A layer as a blob: what a manifest and a config say of it.
struct PackedLayer: Codable, Hashable, Sendable {
  var descriptor: Descriptor
  /// The digest of the uncompressed tar.
  var diffID: Digest
}
