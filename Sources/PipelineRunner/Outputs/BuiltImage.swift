import PipelineDSL

/// A finished image, ready for any output: every blob it names is in the store.
struct BuiltImage: Sendable {
  var platform: Platform
  /// The exact bytes of the config document; the image id is their digest.
  var configuration: [UInt8]
  /// Bottom first; each blob is in the store.
  var layers: [PackedLayer]
  /// The same layers unpacked, for outputs that need files and no blobs.
  var layerIDs: [LayerID]
  /// What the config says of when the image was made, in the form of RFC 3339.
  var created: String?
  var annotations: [String: String] = [:]
}
