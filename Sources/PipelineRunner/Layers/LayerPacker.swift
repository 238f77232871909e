import PipelineDSL
import SystemPackage

/// How the tar of a layer is compressed.
enum LayerCompression: Hashable, Sendable {
  case none
  case gzip
}

/// Makes the canonical blob of a layer directory.
struct LayerPacker {
  /// A directory with nothing in it.
  var empty: FilePath

  /// Writes a layer as a tar: sorted, no host ids or names, times clamped to `epoch`, whiteouts
  /// only for what `below` holds.
  func pack(
    layer: FilePath, below: RootTree, epoch: Int?, compression: LayerCompression,
    into file: FilePath
  ) throws -> PackedLayer {
    throw Diagnostic("packing is being written")
  }
}
