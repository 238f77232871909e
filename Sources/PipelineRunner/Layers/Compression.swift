/// How a file is compressed, told from its first bytes.
enum Compression: Hashable, Sendable {
  case none
  case gzip
  case zstd
  case bzip2
  case xz

  init(of head: [UInt8]) {
    self =
      if head.starts(with: [0x1F, 0x8B, 0x08]) {
        .gzip
      } else if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
        .zstd
      } else if head.count >= 4, head[0] & 0xF0 == 0x50,
        head[1...3].elementsEqual([0x2A, 0x4D, 0x18])
      {
        // A zstd file may begin with a frame to be skipped.
        .zstd
      } else if head.starts(with: [0x42, 0x5A, 0x68]) {
        .bzip2
      } else if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
        .xz
      } else {
        .none
      }
  }
}

extension MediaType {
  /// The type of a layer's blob; nil for compressions that images do not use.
  static func ociLayer(compression: Compression) -> String? {
    switch compression {
    case .none: ociLayer
    case .gzip: ociLayerGzip
    case .zstd: ociLayerZstd
    case .bzip2, .xz: nil
    }
  }
}
