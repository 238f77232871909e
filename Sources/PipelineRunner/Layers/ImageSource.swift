import PipelineDSL

/// Being written on another branch.
struct ResolvedImage: Sendable {
  var digest: Digest
  var configuration: ImageConfiguration
  var layers: [BaseLayer]
}

struct BaseLayer: Sendable {
  var diffID: Digest
  var descriptor: Descriptor?
}
