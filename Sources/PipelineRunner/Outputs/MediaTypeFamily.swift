/// Whose names the documents of an image have.
enum MediaTypeFamily: Hashable, Sendable {
  case oci
  case docker

  var manifest: String { self == .oci ? MediaType.ociManifest : MediaType.dockerManifest }
  var index: String { self == .oci ? MediaType.ociIndex : MediaType.dockerManifestList }
  var configuration: String { self == .oci ? MediaType.ociConfig : MediaType.dockerConfig }

  /// The name of a layer's type in this family; the bytes are the same in both.
  ///
  /// The types of layers that were once not to be distributed become ordinary ones: their bytes are
  /// at hand and go along.
  func layer(_ type: String) -> String {
    if type.hasSuffix("zstd") { return MediaType.ociLayerZstd }
    let isGzip = type.hasSuffix("gzip")
    switch self {
    case .oci: return isGzip ? MediaType.ociLayerGzip : MediaType.ociLayer
    case .docker: return isGzip ? MediaType.dockerLayerGzip : MediaType.dockerLayer
    }
  }
}
