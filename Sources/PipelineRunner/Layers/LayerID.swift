/// The name of an unpacked layer in the store.
///
/// For a layer that a step made it is the digest of the tree's content, times left out, so that a
/// step whose output did not change leads to the same keys further on (cache.md K4). For a layer of
/// a base image it is the diff id.
struct LayerID: Hashable, Sendable, Codable {
  var digest: Digest

  init(_ digest: Digest) {
    self.digest = digest
  }

  init(from decoder: any Decoder) throws {
    digest = try Digest(from: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    try digest.encode(to: encoder)
  }
}
