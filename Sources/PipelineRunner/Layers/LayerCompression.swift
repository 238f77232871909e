/// How the tar of a layer is compressed.
enum LayerCompression: Hashable, Sendable {
  case none
  case gzip
  case zstd
}
