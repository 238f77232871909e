import CISAL
import CZstd
import Glibc
import PipelineDSL

/// Turns the bytes of a layer's blob into those of its tar.
///
/// The compression is told from the first bytes, as other programs tell it; what a manifest says
/// about it is often wrong and matters to nobody, for the tar's digest is verified.
protocol LayerDecompressor: AnyObject {
  /// Takes some input and makes some output.
  ///
  /// - Returns: bytes taken from the input and bytes put into the output.
  func process(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws -> (taken: Int, made: Int)
  /// Called when there is no input any more; throws where that is too early.
  func end() throws
}

enum LayerFormat {
  case plain
  case gzip
  case zstd

  init(_ head: UnsafeRawBufferPointer) {
    if head.count >= 2 && head[0] == 0x1F && head[1] == 0x8B {
      self = .gzip
    } else if head.count >= 4 && head[1...3].elementsEqual([0xB5, 0x2F, 0xFD]) && head[0] == 0x28 {
      self = .zstd
    } else if head.count >= 4 && head[1...3].elementsEqual([0x2A, 0x4D, 0x18])
      && head[0] & 0xF0 == 0x50
    {
      // A zstd file may begin with a frame to be skipped.
      self = .zstd
    } else {
      self = .plain
    }
  }

  func makeDecompressor() -> (any LayerDecompressor)? {
    switch self {
    case .plain: nil
    case .gzip: GzipDecompressor()
    case .zstd: ZstdDecompressor()
    }
  }
}

/// gzip, one member or several, checksums verified.
private final class GzipDecompressor: LayerDecompressor {
  private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
  /// Between members: only zeros or another member may follow.
  private var isBetweenMembers = false
  private var hasPadding = false
  private var isFirst = true

  init() { begin() }

  deinit { state.deallocate() }

  private func begin() {
    if isFirst { isal_inflate_init(state) } else { isal_inflate_reset(state) }
    isFirst = false
    state.pointee.crc_flag = UInt32(ISAL_GZIP)
  }

  func process(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws -> (taken: Int, made: Int) {
    if isBetweenMembers {
      if input.isEmpty { return (0, 0) }
      if input[0] == 0 {
        // Padding up to a block, as tape drives and some writers leave it.
        hasPadding = true
        return (input.prefix { $0 == 0 }.count, 0)
      }
      guard !hasPadding, input[0] == 0x1F else {
        throw Diagnostic("something follows the end of the compressed data")
      }
      isBetweenMembers = false
      begin()
    }
    state.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    state.pointee.avail_in = UInt32(input.count)
    state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    state.pointee.avail_out = UInt32(output.count)
    let status = isal_inflate(state)
    guard status == ISAL_DECOMP_OK || status == ISAL_END_INPUT || status == ISAL_OUT_OVERFLOW
    else { throw Diagnostic("the compressed data is damaged") }
    if state.pointee.block_state == ISAL_BLOCK_FINISH { isBetweenMembers = true }
    return (
      input.count - Int(state.pointee.avail_in), output.count - Int(state.pointee.avail_out)
    )
  }

  func end() throws {
    guard isBetweenMembers else { throw Diagnostic("the compressed data ends too early") }
  }
}

/// zstd, one frame or several, skippable ones among them.
private final class ZstdDecompressor: LayerDecompressor {
  private let context = ZSTD_createDCtx()
  private var isComplete = true

  deinit { ZSTD_freeDCtx(context) }

  func process(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws -> (taken: Int, made: Int) {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let result = ZSTD_decompressStream(context, &target, &source)
    guard ZSTD_isError(result) == 0 else {
      throw Diagnostic(
        "the compressed data is damaged: \(String(cString: ZSTD_getErrorName(result)))")
    }
    if source.pos > 0 || target.pos > 0 { isComplete = result == 0 }
    return (source.pos, target.pos)
  }

  func end() throws {
    guard isComplete else { throw Diagnostic("the compressed data ends too early") }
  }
}
