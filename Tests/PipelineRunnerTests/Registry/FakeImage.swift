import FoundationEssentials

@testable import PipelineRunner

/// An image whose layers are any bytes, with its documents.
struct FakeImage: Sendable {
  var layers: [[UInt8]]
  var config: [UInt8]
  var manifest: [UInt8]

  var digest: Digest { SHA256Hasher.digest(of: manifest) }

  init(
    layers: [[UInt8]], architecture: String = "amd64",
    change: (inout ImageManifest) -> Void = { _ in }
  ) throws {
    self.layers = layers
    let configuration = ImageConfiguration(
      architecture: architecture, os: "linux",
      config: .init(environment: ["PATH=/bin"]),
      rootfs: .init(diffIDs: layers.map { SHA256Hasher.digest(of: $0) }))
    config = try Self.json(configuration)
    var manifest = ImageManifest(
      config: Descriptor(
        mediaType: MediaType.ociConfig, digest: SHA256Hasher.digest(of: config),
        size: Int64(config.count)),
      layers: layers.map {
        Descriptor(
          mediaType: MediaType.ociLayer, digest: SHA256Hasher.digest(of: $0),
          size: Int64($0.count))
      })
    change(&manifest)
    self.manifest = try Self.json(manifest)
  }

  var configDescriptor: Descriptor {
    Descriptor(
      mediaType: MediaType.ociConfig, digest: SHA256Hasher.digest(of: config),
      size: Int64(config.count))
  }

  func descriptor(_ platform: Descriptor.PlatformFields?) -> Descriptor {
    Descriptor(
      mediaType: MediaType.ociManifest, digest: digest, size: Int64(manifest.count),
      platform: platform)
  }

  var blobs: [Digest: [UInt8]] {
    Dictionary(
      (layers + [config]).map { (SHA256Hasher.digest(of: $0), $0) }, uniquingKeysWith: { a, _ in a }
    )
  }

  static func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }

  /// Bytes that differ from place to place and from seed to seed.
  static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &+ 0x9E37_79B9_7F4A_7C15
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      withUnsafeBytes(of: state) { bytes.append(contentsOf: $0) }
    }
    return Array(bytes[..<count])
  }
}
