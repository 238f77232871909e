import CISAL
import Dispatch
import Glibc
import Synchronization
import SystemPackage

/// Writes a layer's tar as a blob: digests of the tar and of the blob in one pass, compressed on all
/// processors.
///
/// Everything in order (reading, hashing, writing) happens on the caller's thread; blocks are
/// compressed on others meanwhile.
final class LayerBlobWriter {
  private let compression: LayerCompression
  private let level: Int
  private let blockSize: Int
  private let target: CInt
  private let jobs = BlockJobs()
  private let tarHash = HashContext()
  private let blobHash = HashContext()
  private var block: TarBlock
  /// Blocks that are being compressed, oldest first.
  private var pending: [BlockJobs.Job] = []
  private var checksum: UInt32 = 0
  private var tarSize: Int64 = 0
  private var blobSize: Int64 = 0

  /// Starts to write into an open file, from its current offset.
  init(to target: CInt, compression: LayerCompression, level: Int) throws(SystemError) {
    self.target = target
    self.compression = compression
    self.level = level
    blockSize = BlockCompressor.blockSize(compression)
    block = TarBlock(capacity: blockSize)
    tarHash.begin()
    blobHash.begin()
    if compression == .gzip { try write(BlockCompressor.gzipHeader) }
  }

  /// Room for a 512-byte record, which the caller fills.
  ///
  /// Everything in a tar is a multiple of that, as is a block.
  func record() throws -> UnsafeMutableRawPointer {
    if block.count == blockSize { try submit(isLast: false) }
    defer { block.count += 512 }
    return block.start + block.count
  }

  /// Appends bytes and fills them up to a whole record.
  func append(_ bytes: UnsafeRawPointer, _ size: Int) throws {
    var done = 0
    while done < size {
      if block.count == blockSize { try submit(isLast: false) }
      let count = min(size - done, blockSize - block.count)
      memcpy(block.start + block.count, bytes + done, count)
      block.count += count
      done += count
    }
    pad()
  }

  /// Appends what a file holds, which must be `size` bytes; false where it has another size.
  func append(contentsOf file: CInt, _ size: Int) throws -> Bool {
    var done = 0
    while done < size {
      if block.count == blockSize { try submit(isLast: false) }
      let count = read(
        file, block.start + block.count, min(size - done, blockSize - block.count))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read") }
      if count == 0 { return false }
      block.count += count
      done += count
    }
    pad()
    return true
  }

  private func pad() {
    let rest = block.count % 512
    guard rest > 0 else { return }
    memset(block.start + block.count, 0, 512 - rest)
    block.count += 512 - rest
  }

  /// Ends the tar and the blob.
  func finish() throws -> PackedLayer {
    for _ in 0..<2 { memset(try record(), 0, 512) }
    try submit(isLast: true)
    while !pending.isEmpty { try writeOldest() }
    if compression == .gzip {
      try write(
        Self.littleEndian(checksum) + Self.littleEndian(UInt32(truncatingIfNeeded: tarSize)))
    }
    let diffID = tarHash.finish()
    let digest = compression == .none ? diffID : blobHash.finish()
    return PackedLayer(
      descriptor: Descriptor(
        mediaType: compression.mediaType, digest: digest, size: blobSize), diffID: diffID)
  }

  private func submit(isLast: Bool) throws {
    let full = block
    tarHash.update(full.start, full.count)
    tarSize += Int64(full.count)
    if compression == .gzip {
      checksum = crc32_gzip_refl(
        checksum, full.start.assumingMemoryBound(to: UInt8.self), UInt64(full.count))
    }
    guard compression != .none else {
      try write(full.start, full.count)
      full.count = 0
      return
    }
    let (compression, level) = (compression, level)
    let work: @Sendable () throws -> Void = {
      try BlockCompressor.compress(full, compression, level: level, isLast: isLast)
    }
    if isLast && pending.isEmpty {
      // A small layer costs less here than on another thread.
      try work()
      return try writeCompressed(full)
    }
    pending.append(jobs.start(full, work))
    if !isLast { block = TarBlock(capacity: blockSize) }
    if pending.count > 2 * WorkerPool.width { try writeOldest() }
  }

  private func writeOldest() throws {
    let job = pending.removeFirst()
    try jobs.wait(for: job)
    try writeCompressed(job.block)
  }

  private func writeCompressed(_ block: TarBlock) throws(SystemError) {
    guard let compressed = block.compressed else { return }
    try write(compressed, block.compressedCount)
  }

  private func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(SystemError) {
    if compression != .none { blobHash.update(bytes, count) }
    blobSize += Int64(count)
    try FileData.write(UnsafeRawBufferPointer(start: bytes, count: count), to: target)
  }

  private func write(_ bytes: [UInt8]) throws(SystemError) {
    blobHash.update(bytes, bytes.count)
    blobSize += Int64(bytes.count)
    let status = bytes.withUnsafeBytes { Glibc.write(target, $0.baseAddress, $0.count) }
    guard status == bytes.count else { throw SystemError("write") }
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }
}

extension LayerCompression {
  var mediaType: String {
    switch self {
    case .none: MediaType.ociLayer
    case .gzip: MediaType.ociLayerGzip
    case .zstd: MediaType.ociLayerZstd
    }
  }
}

/// Blocks that are being compressed on the pool.
private struct BlockJobs {
  final class Job: Sendable {
    let block: TarBlock
    fileprivate let done = DispatchSemaphore(value: 0)
    fileprivate let failure = Mutex<(any Error)?>(nil)

    fileprivate init(_ block: TarBlock) { self.block = block }
  }

  func start(_ block: TarBlock, _ work: @escaping @Sendable () throws -> Void) -> Job {
    let job = Job(block)
    WorkerPool.shared.submit {
      do {
        try work()
      } catch {
        job.failure.withLock { $0 = error }
      }
      job.done.signal()
    }
    return job
  }

  func wait(for job: Job) throws {
    job.done.wait()
    if let failure = job.failure.withLock({ $0 }) { throw failure }
  }
}
