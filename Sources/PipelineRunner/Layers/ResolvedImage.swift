import PipelineDSL

/// A base image as far as planning needs it: its config, and where its layers can be had.
struct ResolvedImage: Sendable {
  /// The digest of its manifest, or of what stands for one.
  var digest: Digest
  var configuration: ImageConfiguration
  /// Bottom first.
  var layers: [BaseLayer]
  /// What the config tells of the steps that made the image; nothing of it is used but where the
  /// image is named as a cache.
  var cache: InlineCache?

  init(digest: Digest, configuration: ImageConfiguration, layers: [BaseLayer]) {
    self.digest = digest
    self.configuration = configuration
    self.layers = layers
  }

  /// Pairs the layers of a manifest with the diff ids of its config.
  ///
  /// - Throws: a diagnostic where their numbers differ, or a layer is none that can be unpacked.
  init(
    digest: Digest, configuration: ImageConfiguration, layers: [Descriptor],
    blobs: any BlobSource, place: String
  ) throws(Diagnostic) {
    guard configuration.rootfs.diffIDs.count == layers.count else {
      throw Diagnostic(
        "the image \(digest) in \(place) has \(layers.count) layers, and its config names \(configuration.rootfs.diffIDs.count)"
      )
    }
    for layer in layers where !MediaType.isLayer(layer.mediaType) {
      throw Diagnostic(
        "the layer \(layer.digest) in \(place) is of the type '\(layer.mediaType)', which cannot be unpacked"
      )
    }
    self.init(
      digest: digest, configuration: configuration,
      layers: zip(configuration.rootfs.diffIDs, layers).map { diffID, layer in
        BaseLayer(diffID: diffID, descriptor: layer, blobs: blobs)
      })
  }
}
