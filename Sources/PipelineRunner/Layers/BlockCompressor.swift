import CISAL
import CZstd
import Glibc
import PipelineDSL

/// Compresses one block of a layer's tar independently of all others.
///
/// Blocks have a fixed size, so that the result does not depend on how many processors worked on
/// it. A gzip file is one member whose deflate blocks end on whole bytes; a zstd file is a frame a
/// block.
final class BlockCompressor {
  /// Bytes of tar in a block.
  static func blockSize(_ compression: LayerCompression) -> Int {
    switch compression {
    case .none, .gzip: 1 << 20
    case .zstd: 4 << 20
    }
  }

  /// Levels as the libraries have them; both are the fastest that is worth its size.
  static func defaultLevel(_ compression: LayerCompression) -> Int {
    switch compression {
    case .none: 0
    case .gzip: 1
    case .zstd: 3
    }
  }

  static func levels(_ compression: LayerCompression) -> ClosedRange<Int> {
    switch compression {
    case .none: 0...0
    case .gzip: 0...3
    case .zstd: 1...19
    }
  }

  /// What a gzip file starts with: no name, no time, no system.
  static let gzipHeader: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

  /// Compresses a block.
  static func compress(
    _ block: TarBlock, _ compression: LayerCompression, level: Int, isLast: Bool
  ) throws {
    switch compression {
    case .none: break
    case .gzip: try deflate(block, level: level, isLast: isLast)
    case .zstd: try zstd(block, level: level)
    }
  }

  private static func deflate(_ block: TarBlock, level: Int, isLast: Bool) throws {
    // Stored blocks of 64 KiB at worst, with some bytes around each.
    let capacity = block.count + block.count / 8 + 4096
    let output = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    defer { stream.deallocate() }
    let workspaceSize = [
      0, Int(cisal_level1_size), Int(cisal_level2_size), Int(cisal_level3_size),
    ][level]
    let workspace = UnsafeMutablePointer<UInt8>.allocate(capacity: max(workspaceSize, 1))
    defer { workspace.deallocate() }
    isal_deflate_stateless_init(stream)
    stream.pointee.level = UInt32(level)
    stream.pointee.level_buf = workspace
    stream.pointee.level_buf_size = UInt32(workspaceSize)
    stream.pointee.flush = UInt16(FULL_FLUSH)
    stream.pointee.end_of_stream = isLast ? 1 : 0
    stream.pointee.next_in = block.start.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(block.count)
    stream.pointee.next_out = output
    stream.pointee.avail_out = UInt32(capacity)
    let status = isal_deflate_stateless(stream)
    guard status == COMP_OK, stream.pointee.avail_in == 0 else {
      output.deallocate()
      throw Diagnostic("a layer cannot be compressed: igzip reports \(status)")
    }
    block.setCompressed(output, capacity - Int(stream.pointee.avail_out))
  }

  private static func zstd(_ block: TarBlock, level: Int) throws {
    let capacity = ZSTD_compressBound(block.count)
    let output = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    let context = ZSTD_createCCtx()
    defer { ZSTD_freeCCtx(context) }
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, CInt(level))
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    let size = ZSTD_compress2(context, output, capacity, block.start, block.count)
    guard ZSTD_isError(size) == 0 else {
      output.deallocate()
      throw Diagnostic(
        "a layer cannot be compressed: \(String(cString: ZSTD_getErrorName(size)))")
    }
    block.setCompressed(output, size)
  }
}

/// A block of a layer's tar on its way into a blob.
///
/// Unchecked: filled by one thread, compressed by one job, then written by the first thread when the
/// job has signalled its end.
final class TarBlock: @unchecked Sendable {
  let start: UnsafeMutableRawPointer
  var count = 0
  private(set) var compressed: UnsafeMutablePointer<UInt8>?
  private(set) var compressedCount = 0

  init(capacity: Int) {
    start = .allocate(byteCount: capacity, alignment: 4096)
  }

  deinit {
    start.deallocate()
    compressed?.deallocate()
  }

  /// Takes over the memory of what the block was compressed to.
  func setCompressed(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) {
    compressed = memory
    compressedCount = count
  }
}
