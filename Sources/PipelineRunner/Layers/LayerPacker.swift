import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Makes the canonical blob of a layer directory.
///
/// The same directory over the same layers gives the same bytes, whoever builds it: entries are
/// sorted by name, ids are numbers, times are whole seconds as containerd writes them, and there is
/// nothing in it of the machine.
struct LayerPacker {
  /// A directory with nothing in it.
  var empty: FilePath

  /// Writes a layer as a tar: sorted, no host ids or names, times clamped to `epoch`, whiteouts
  /// only for what `below` holds.
  ///
  /// `level` is the compressor's own (gzip 0 to 3, zstd 1 to 19).
  ///
  /// - Throws: a diagnostic when the directory holds what no layer can, such as a name that starts
  ///   with `.wh.`; the file is of no use then.
  func pack(
    layer: FilePath, below: RootTree, epoch: Int?, compression: LayerCompression,
    level: Int? = nil, into file: FilePath
  ) throws -> PackedLayer {
    let level = level ?? BlockCompressor.defaultLevel(compression)
    let levels = BlockCompressor.levels(compression)
    guard levels.contains(level) else {
      throw Diagnostic(
        "there is no compression level \(level)",
        help: "levels go from \(levels.lowerBound) to \(levels.upperBound)")
    }
    do {
      let raw = file.withPlatformString {
        open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      }
      guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
      let target = OwnedDescriptor(owning: raw)
      let writer = try LayerBlobWriter(to: target.raw, compression: compression, level: level)
      let walk = PackWalk(writer, epoch: epoch)
      try walk.run(TreeAccess.openDirectory(layer), over: lower(below))
      let packed = try writer.finish()
      try target.close()
      return packed
    } catch let error as SystemError {
      throw error.diagnostic("a layer cannot be packed")
    }
  }

  /// Writes all that a layer directory holds, so that unpacking gives its content digest again.
  ///
  /// - Returns: nil where no tar can say it: there is a socket in it.
  func packExactly(layer: FilePath, into file: FilePath) throws -> PackedLayer? {
    let (packed, isComplete) = try packAll(of: layer, into: file)
    return isComplete ? packed : nil
  }

  /// Writes all that a directory holds, but for sockets.
  func packTree(_ directory: FilePath, into file: FilePath) throws -> PackedLayer {
    try packAll(of: directory, into: file).packed
  }

  private func packAll(
    of layer: FilePath, into file: FilePath
  ) throws -> (packed: PackedLayer, isComplete: Bool) {
    do {
      let raw = file.withPlatformString {
        open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      }
      guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
      let target = OwnedDescriptor(owning: raw)
      let writer = try LayerBlobWriter(
        to: target.raw, compression: .zstd, level: BlockCompressor.defaultLevel(.zstd))
      let walk = PackWalk(writer, epoch: nil, isExact: true)
      try walk.run(TreeAccess.openDirectory(layer), over: nil)
      let packed = try writer.finish()
      try target.close()
      return (packed, walk.isComplete)
    } catch let error as SystemError {
      throw error.diagnostic("a layer cannot be packed")
    }
  }

  /// The merged view of what lies below; nil where nothing does.
  private func lower(_ below: RootTree) throws(SystemError) -> OwnedDescriptor? {
    switch below.layers.count {
    case 0: nil
    // One layer is its own merged view, but for deletions of nothing.
    case 1: try TreeAccess.openDirectory(below.layers[0])
    default: try DetachedOverlay.readOnly(below, empty: empty)
    }
  }
}
