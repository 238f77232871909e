/// A reference to content by type, digest and size (OCI image specification, descriptor.md).
struct Descriptor: Codable, Hashable, Sendable {
  var mediaType: String
  var digest: Digest
  /// Bytes.
  var size: Int64
  var platform: PlatformFields?
  var annotations: [String: String]?

  /// The platform object of an index entry.
  struct PlatformFields: Codable, Hashable, Sendable {
    var architecture: String
    var os: String
    var variant: String?
  }

  init(
    mediaType: String, digest: Digest, size: Int64, platform: PlatformFields? = nil,
    annotations: [String: String]? = nil
  ) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.platform = platform
    self.annotations = annotations
  }
}

/// One image: its config and its layers, bottom first.
struct ImageManifest: Codable, Hashable, Sendable {
  var schemaVersion = 2
  var mediaType: String? = MediaType.ociManifest
  var config: Descriptor
  var layers: [Descriptor]
  var annotations: [String: String]?
}

/// Several manifests, as `index.json` of a layout or as a multi-platform image.
struct ImageIndex: Codable, Hashable, Sendable {
  var schemaVersion = 2
  var mediaType: String? = MediaType.ociIndex
  var manifests: [Descriptor]
  var annotations: [String: String]?
}

/// The media types this program reads and writes.
enum MediaType {
  static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
  static let ociIndex = "application/vnd.oci.image.index.v1+json"
  static let ociConfig = "application/vnd.oci.image.config.v1+json"
  static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
  static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
  static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
  static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  static let dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
  static let dockerConfig = "application/vnd.docker.container.image.v1+json"
  static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"
  static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
}
