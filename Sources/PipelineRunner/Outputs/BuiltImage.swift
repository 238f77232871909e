import PipelineDSL

/// A finished image of one platform, ready for any output.
struct BuiltImage: Sendable {
  var platform: Platform
  /// The layers unpacked in the store, bottom first.
  var layerIDs: [LayerID]
  /// The exact bytes of the config document; the image id is their digest.
  ///
  /// Empty where only files were asked for.
  var configuration: [UInt8] = []
  /// What the config says of when the image was made, in the form of RFC 3339.
  var created: String?
  /// The layers as blobs in the store; filled for outputs that take blobs.
  var layers: [PackedLayer] = []
  /// Statements about the image that go along with it.
  var attestations: [Attestation] = []
}
