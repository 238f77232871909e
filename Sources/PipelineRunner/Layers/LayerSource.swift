import Glibc
import PipelineDSL
import Synchronization

/// A blob on its way to a tar: read, hashed, decompressed and hashed again on a thread of its own,
/// while another one takes the tar apart.
final class LayerSource: Sendable {
  /// What both digests came to, once the stream has ended.
  private struct Outcome {
    var blob: Digest?
    var size: Int64 = 0
    var tar: Digest?
  }

  let chunks = ChunkChannel()
  private let outcome = Mutex(Outcome())
  private let cancellation = Cancellation.current

  /// Starts reading.
  ///
  /// `open` is called on the other thread.
  init(_ open: @escaping @Sendable () throws -> any BlobReader) throws {
    try WorkerThread.start { [self] in
      do {
        try Cancellation.$current.withValue(cancellation) { try pump(open()) }
        chunks.finish()
      } catch {
        chunks.finish(error)
      }
    }
  }

  deinit { chunks.cancel() }

  /// Reads what the archive's reader left, so that both digests cover everything.
  ///
  /// - Throws: a diagnostic where the blob or the tar is not what was promised.
  func finish(blob: Descriptor, diffID: Digest) throws {
    while try chunks.receive() != nil {}
    let outcome = outcome.withLock { $0 }
    guard outcome.size == blob.size else {
      throw Diagnostic(
        "the layer \(blob.digest) has \(outcome.size) bytes, and its image promised \(blob.size)")
    }
    guard outcome.blob == blob.digest else {
      throw Diagnostic("the layer \(blob.digest) has other content than its digest says")
    }
    guard outcome.tar == diffID else {
      throw Diagnostic(
        "the layer \(blob.digest) unpacks to other content than its image's diff id \(diffID) says")
    }
  }

  private func pump(_ reader: any BlobReader) throws {
    let blobHash = SHA256Hasher()
    let tarHash = SHA256Hasher()
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
    defer { input.deallocate() }
    var size: Int64 = 0
    var decompressor: (any LayerDecompressor)?
    var isPlain = false
    var chunk = Chunk()
    func send() -> Bool {
      guard chunk.count > 0 else { return true }
      tarHash.update(UnsafeRawBufferPointer(start: chunk.start, count: chunk.count))
      defer { chunk = Chunk() }
      return chunks.send(chunk)
    }
    while true {
      try Cancellation.check()
      let count = try Self.fill(input, from: reader, isFirst: size == 0)
      if count == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: input[..<count])
      if size == 0 {
        decompressor = LayerFormat(piece).makeDecompressor()
        isPlain = decompressor == nil
      }
      size += Int64(count)
      blobHash.update(piece)
      var rest = piece
      while !rest.isEmpty || (!isPlain && chunk.count == Chunk.size) {
        if chunk.count == Chunk.size, !send() { return }
        let room = UnsafeMutableRawBufferPointer(
          start: chunk.start + chunk.count, count: Chunk.size - chunk.count)
        let (taken, made) =
          try decompressor?.process(rest, into: room) ?? Self.copy(rest, into: room)
        chunk.count += made
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        if taken == 0, made == 0 { break }
      }
    }
    // What a decompressor still holds back.
    while let decompressor {
      if chunk.count == Chunk.size, !send() { return }
      let room = UnsafeMutableRawBufferPointer(
        start: chunk.start + chunk.count, count: Chunk.size - chunk.count)
      let (_, made) = try decompressor.process(
        UnsafeRawBufferPointer(rebasing: input[..<0]), into: room)
      chunk.count += made
      if made == 0 { break }
    }
    try decompressor?.end()
    guard send() else { return }
    outcome.withLock {
      $0 = Outcome(blob: blobHash.finalize(), size: size, tar: tarHash.finalize())
    }
  }

  /// Some of the blob; at its start enough to tell the compression.
  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from reader: any BlobReader, isFirst: Bool
  ) throws -> Int {
    var count = 0
    repeat {
      let got = try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      if got == 0 { break }
      count += got
    } while isFirst && count < 16
    return count
  }

  private static func copy(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> (taken: Int, made: Int) {
    let count = min(input.count, output.count)
    output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
    return (count, count)
  }
}
