/// A base image as far as planning needs it: its config, and where its layers can be had.
struct ResolvedImage: Sendable {
  /// The digest of its manifest, or of what stands for one.
  var digest: Digest
  var configuration: ImageConfiguration
  /// Bottom first.
  var layers: [BaseLayer]
}
