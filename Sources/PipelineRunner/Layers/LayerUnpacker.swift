import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Unpacks a layer's blob: read, verified, decompressed, verified again and written, each on a
/// thread of its own.
///
/// What stands in the directory counts for nothing until ``run()`` returns: only then did both
/// digests match (executor.md, recommendation 9).
struct LayerUnpacker: Sendable {
  var diffID: Digest
  var descriptor: Descriptor
  var blobs: any BlobSource

  /// How far a blob may grow: deflate comes to 1032 at most, and what zstd makes of zeros beyond
  /// that is no layer.
  private static let largestRatio: Int64 = 1100
  var freeGrowth: Int64 = 4 << 30

  /// - Returns: the directories that the layer has entries in and says nothing of.
  func unpack(into directory: FilePath) throws -> [[UInt8]] {
    let compressed = ChunkChannel()
    let tar = ChunkChannel()
    let unpacked = ChunkChannel()
    let results = Results()
    let cancellation = Cancellation.current
    let parts: [@Sendable () -> Void] = [
      {
        results.keep(\.source) {
          try Cancellation.$current.withValue(cancellation) { try read(into: compressed) }
        }
      }, { results.keep(\.decompression) { try decompress(compressed, into: tar) } },
      { results.keep(\.content) { try hash(tar, into: unpacked) } },
    ]
    var threads: [WorkerThread] = []
    do {
      for part in parts { threads.append(try WorkerThread.start(part)) }
    } catch {
      for channel in [compressed, tar, unpacked] { channel.cancel() }
      throw located(error)
    }
    var implied: Set<[UInt8]> = []
    results.keep(\.extraction) {
      defer { unpacked.cancel() }
      let extractor = try LayerExtractor(TarReader(TarStream(unpacked)), into: directory)
      try extractor.run()
      implied = extractor.implied
      // What follows the end of the archive belongs to the digest.
      while try unpacked.receive() != nil {}
    }
    for thread in threads { thread.join() }
    if let failure = results.first { throw located(failure) }
    return implied.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// What went wrong in each part; the first part that failed is the cause of what failed later.
  private final class Results: Sendable {
    struct Failures {
      var source: (any Error)?
      var decompression: (any Error)?
      var extraction: (any Error)?
      var content: (any Error)?
    }

    private let failures = Mutex(Failures())

    func keep(
      _ part: any WritableKeyPath<Failures, (any Error)?> & Sendable, _ body: () throws -> Void
    ) {
      do {
        try body()
      } catch {
        failures.withLock { $0[keyPath: part] = error }
      }
    }

    var first: (any Error)? {
      failures.withLock { $0.source ?? $0.decompression ?? $0.extraction ?? $0.content }
    }
  }

  private func located(_ error: any Error) -> any Error {
    let name = descriptor.digest
    if let error = error as? SystemError {
      return error.diagnostic("the layer \(name) cannot be unpacked")
    }
    guard var diagnostic = error as? Diagnostic else { return error }
    diagnostic.message = "the layer \(name) cannot be unpacked: \(diagnostic.message)"
    return diagnostic
  }

  // MARK: Parts

  private func read(into channel: ChunkChannel) throws {
    do {
      let reader = try VerifiedReader(descriptor, blobs)
      var isWanted = true
      while let chunk = try reader.next() {
        // Where a later part failed, the digest still decides whether the blob was to blame.
        if isWanted { isWanted = channel.send(chunk) }
      }
      channel.finish()
    } catch {
      channel.finish(error)
      throw error
    }
  }

  private func decompress(_ input: ChunkChannel, into output: ChunkChannel) throws {
    defer { input.cancel() }
    do {
      try Decompression(input, output, limit: limit).run()
      output.finish()
    } catch {
      output.finish(error)
      throw error
    }
  }

  private var limit: Int64 {
    guard descriptor.size < .max / Self.largestRatio - freeGrowth else { return .max }
    return descriptor.size * Self.largestRatio + freeGrowth
  }

  private func hash(_ input: ChunkChannel, into output: ChunkChannel) throws {
    defer { input.cancel() }
    do {
      let hasher = HashContext()
      hasher.begin()
      while let chunk = try input.receive() {
        guard output.send(chunk) else { return }
        hasher.update(chunk.start, chunk.count)
      }
      let found = hasher.finish()
      guard found == diffID else {
        throw Diagnostic(
          "its content is \(found), and the image's config promises \(diffID)",
          help: "the image is damaged where it comes from; make or push it again")
      }
      output.finish()
    } catch {
      output.finish(error)
      throw error
    }
  }
}

/// Reads a blob in full chunks and compares size and digest with what was promised.
final class VerifiedReader {
  private let reader: any BlobReader
  private let descriptor: Descriptor
  private let hasher = HashContext()
  private var size: Int64 = 0
  private var isAtEnd = false

  init(_ descriptor: Descriptor, _ blobs: any BlobSource) throws {
    self.descriptor = descriptor
    reader = try blobs.open(descriptor)
    hasher.begin()
  }

  /// The next bytes; nil at the end, when everything was as promised.
  func next() throws -> Chunk? {
    if isAtEnd { return nil }
    try Cancellation.check()
    let chunk = Chunk()
    while chunk.count < Chunk.size {
      let room = UnsafeMutableRawBufferPointer(
        start: chunk.start + chunk.count, count: Chunk.size - chunk.count)
      let count = try reader.read(into: room)
      if count == 0 {
        isAtEnd = true
        break
      }
      chunk.count += count
    }
    size += Int64(chunk.count)
    guard size <= descriptor.size else { throw wrongSize("more than") }
    hasher.update(chunk.start, chunk.count)
    if isAtEnd { try verify() }
    return chunk.count > 0 ? chunk : nil
  }

  private func verify() throws {
    guard size == descriptor.size else { throw wrongSize("\(size) of") }
    let found = hasher.finish()
    guard found == descriptor.digest else {
      throw Diagnostic(
        "its bytes have the digest \(found)",
        help: "it was damaged on its way or where it lies; get the image again")
    }
  }

  private func wrongSize(_ found: String) -> Diagnostic {
    Diagnostic(
      "it has \(found) the \(descriptor.size) bytes that the image's manifest promises",
      help: "it was damaged on its way or where it lies; get the image again")
  }
}

/// Decompresses a stream of chunks into a stream of full chunks.
private final class Decompression {
  private let input: ChunkChannel
  private let output: ChunkChannel
  private let limit: Int64
  private var chunk = Chunk()
  private var total: Int64 = 0
  private var isWanted = true

  init(_ input: ChunkChannel, _ output: ChunkChannel, limit: Int64) {
    self.input = input
    self.output = output
    self.limit = limit
  }

  func run() throws {
    guard let first = try input.receive() else { return }
    let head = UnsafeRawBufferPointer(start: first.start, count: first.count)
    guard let decompressor = LayerFormat(head).makeDecompressor() else {
      var next: Chunk? = first
      while let chunk = next, output.send(chunk) { next = try input.receive() }
      return
    }
    var next: Chunk? = first
    while let compressed = next, isWanted {
      try process(compressed, decompressor)
      next = try input.receive()
    }
    guard isWanted else { return }
    // The last output may still be inside the decompressor.
    while try step(UnsafeRawBufferPointer(start: nil, count: 0), decompressor).made > 0 {}
    try decompressor.end()
    if chunk.count > 0 { _ = output.send(chunk) }
  }

  private func process(_ compressed: Chunk, _ decompressor: any LayerDecompressor) throws {
    var offset = 0
    while isWanted {
      let rest = UnsafeRawBufferPointer(
        start: compressed.start + offset, count: compressed.count - offset)
      let (taken, made) = try step(rest, decompressor)
      offset += taken
      if offset == compressed.count && made == 0 { return }
      guard taken > 0 || made > 0 else { throw Diagnostic("the compressed data is damaged") }
    }
  }

  private func step(
    _ bytes: UnsafeRawBufferPointer, _ decompressor: any LayerDecompressor
  ) throws -> (taken: Int, made: Int) {
    let room = UnsafeMutableRawBufferPointer(
      start: chunk.start + chunk.count, count: Chunk.size - chunk.count)
    let result = try decompressor.process(bytes, into: room)
    chunk.count += result.made
    total += Int64(result.made)
    guard total <= limit else {
      throw Diagnostic("it grows to more than \(limit) bytes when it is unpacked")
    }
    if chunk.count == Chunk.size {
      isWanted = output.send(chunk)
      chunk = Chunk()
    }
    return result
  }
}
