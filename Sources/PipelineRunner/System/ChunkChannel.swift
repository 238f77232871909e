import Dispatch
import Synchronization

/// A piece of a stream on its way from one thread to the next.
///
/// Unchecked: written by the thread that makes it, and only read once it was sent.
final class Chunk: @unchecked Sendable {
  /// Every chunk of a stream is full but the last, so that the 512-byte records of a tar never lie
  /// across two.
  static let size = 1 << 20

  let start: UnsafeMutableRawPointer
  var count = 0

  init() {
    let used = Self.idle.withLock { $0.popLast() }
    start =
      used.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
      ?? .allocate(byteCount: Self.size, alignment: 4096)
  }

  deinit {
    let address = UInt(bitPattern: start)
    let isKept = Self.idle.withLock { idle in
      guard idle.count < Self.mostIdle else { return false }
      idle.append(address)
      return true
    }
    if !isKept { start.deallocate() }
  }

  /// Memory for the next chunks: fresh memory is a page fault for every 4 KiB, which is a tenth of
  /// the time that a layer takes to unpack.
  private static let idle = Mutex<[UInt]>([])
  private static let mostIdle = 32
}

/// Chunks from one thread to another, a few at a time, with how the stream ended.
final class ChunkChannel: Sendable {
  private struct State {
    var chunks: [Chunk] = []
    var isFinished = false
    var failure: (any Error)?
    /// Nobody reads any more.
    var isCancelled = false
  }

  private let state = Mutex(State())
  private let filled = DispatchSemaphore(value: 0)
  private let free: DispatchSemaphore

  /// Makes a channel that holds at most `capacity` chunks.
  init(capacity: Int = 4) {
    // Counting from 0 upwards: a semaphore may not be released below its first value.
    free = DispatchSemaphore(value: 0)
    for _ in 0..<capacity { free.signal() }
  }

  /// Hands a chunk on, waiting for room; false where nobody reads any more.
  func send(_ chunk: Chunk) -> Bool {
    free.wait()
    let isTaken = state.withLock { state in
      guard !state.isCancelled else { return false }
      state.chunks.append(chunk)
      return true
    }
    if isTaken { filled.signal() } else { free.signal() }
    return isTaken
  }

  /// Ends the stream; with an error where it is not complete.
  func finish(_ failure: (any Error)? = nil) {
    state.withLock { state in
      state.isFinished = true
      state.failure = failure
    }
    filled.signal()
  }

  /// The next chunk; nil at the end.
  ///
  /// - Throws: what the stream was finished with.
  func receive() throws -> Chunk? {
    filled.wait()
    let (chunk, failure) = state.withLock { state -> (Chunk?, (any Error)?) in
      if state.chunks.isEmpty { return (nil, state.failure) }
      return (state.chunks.removeFirst(), nil)
    }
    if let chunk {
      free.signal()
      return chunk
    }
    // The end stays where it is for the next call.
    filled.signal()
    if let failure { throw failure }
    return nil
  }

  /// Tells the sender that nobody reads any more.
  func cancel() {
    state.withLock { state in
      state.isCancelled = true
      state.chunks = []
    }
    free.signal()
  }
}
