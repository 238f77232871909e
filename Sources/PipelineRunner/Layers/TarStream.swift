import PipelineDSL

/// The bytes of a tar as they arrive in chunks.
final class TarStream {
  private let channel: ChunkChannel
  private var chunk: Chunk?
  private var offset = 0

  init(_ channel: ChunkChannel) {
    self.channel = channel
  }

  /// The next 512 bytes, valid until the next call; nil at the end of the stream.
  func record() throws -> UnsafeRawPointer? {
    guard let chunk = try current() else { return nil }
    guard chunk.count - offset >= 512 else {
      throw Diagnostic("the archive ends in the middle of a record")
    }
    defer { offset += 512 }
    return UnsafeRawPointer(chunk.start + offset)
  }

  /// Some of the next bytes, at least one and at most `limit`, valid until the next call.
  func bytes(_ limit: Int64) throws -> UnsafeRawBufferPointer {
    guard let chunk = try current() else {
      throw Diagnostic("the archive ends in the middle of an entry")
    }
    let count = Int(min(limit, Int64(chunk.count - offset)))
    defer { offset += count }
    return UnsafeRawBufferPointer(start: chunk.start + offset, count: count)
  }

  /// Passes over bytes.
  func skip(_ count: Int64) throws {
    var rest = count
    while rest > 0 { rest -= Int64(try bytes(rest).count) }
  }

  private func current() throws -> Chunk? {
    while true {
      if let chunk, offset < chunk.count { return chunk }
      offset = 0
      // Let go of it first, so that its memory can be used again.
      chunk = nil
      chunk = try channel.receive()
      if chunk == nil { return nil }
    }
  }
}
