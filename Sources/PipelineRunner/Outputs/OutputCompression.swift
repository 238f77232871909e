import PipelineDSL

/// How the layers of an output are compressed.
struct OutputCompression: Hashable, Sendable {
  enum Kind: String, Hashable, Sendable {
    case uncompressed
    case gzip
    case zstd
  }

  var kind = Kind.gzip
  var level: Int?
  /// Compresses base layers again that have another compression.
  var isForced = false

  /// What is wrong with the level, nil where nothing is.
  var problem: String? {
    guard let level else { return nil }
    switch kind {
    case .uncompressed: return "compression-level has no meaning without compression"
    case .gzip: return (0...9).contains(level) ? nil : "gzip has the levels 0 to 9, not \(level)"
    case .zstd: return (0...22).contains(level) ? nil : "zstd has the levels 0 to 22, not \(level)"
    }
  }
}
