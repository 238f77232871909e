import CLinux
import Glibc

/// What a file comes to in a content digest: a digest over its bytes, and its attributes if any.
struct FileValue {
  var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
  /// Whether extended attributes are part of the digest.
  var hasAttributes = false

  func append(to buffer: ByteBuffer) {
    buffer.append(byte: hasAttributes ? 1 : 0)
    withUnsafeBytes(of: digest) { bytes in
      if let start = bytes.baseAddress { buffer.append(start, bytes.count) }
    }
  }

  mutating func withDigestBytes(_ body: (UnsafeMutableRawPointer) -> Void) {
    withUnsafeMutableBytes(of: &digest) { bytes in
      if let start = bytes.baseAddress { body(start) }
    }
  }
}

/// Digests of the contents and attributes of many files, computed on all processors.
///
/// Files up to ``pieceSize`` are hashed whole, larger ones as a list of pieces, so that a single
/// large file keeps every processor busy as well.
final class FileDigester {
  static let pieceSize = 4 << 20
  /// A file where it lies.
  struct File {
    /// Keeps `directory` and `name` alive; nil where they are good for this call only.
    var listing: DirectoryListing?
    /// The directory of `name`, or AT_FDCWD where `name` stands for an open file under /proc.
    var directory: CInt
    var name: UnsafePointer<CChar>
    var status: stat
    var attributes: ExtendedAttributes.Selection
    /// Whether somebody could write to the file: then it is compared with `status`.
    var mayChange: Bool
  }

  private let jobs = JobGroup()
  private var batches: [DigestBatch] = []
  private var current = DigestBatch()

  /// Queues a file; values come in the order of these calls.
  func add(_ file: File) {
    let size = Int(file.status.st_size)
    guard file.listing != nil else {
      flush()
      current.add(file, offset: 0, length: size, isWhole: true)
      let batch = current
      batches.append(batch)
      current = DigestBatch()
      return jobs.perform(batch.run)
    }
    if size <= Self.pieceSize {
      current.add(file, offset: 0, length: size, isWhole: true)
      if current.isFull { flush() }
      return
    }
    flush()
    for offset in stride(from: 0, to: size, by: Self.pieceSize) {
      current.add(file, offset: offset, length: min(Self.pieceSize, size - offset), isWhole: false)
      flush()
    }
  }

  /// Queues a value that is known.
  func add(known value: FileValue) {
    current.add(value)
    if current.isFull { flush() }
  }

  /// Waits, and gives the value of each file in order.
  ///
  /// - Throws: the first failure to read a file.
  func finish(_ body: (FileValue) throws -> Void) throws {
    if current.count > 0 {
      // What did not fill a batch costs less here than on another thread.
      let batch = current
      batches.append(batch)
      current = DigestBatch()
      jobs.perform(batch.run)
    }
    try jobs.wait()
    defer { batches = [] }
    let pieces = ByteBuffer()
    var attributes: ByteBuffer?
    for batch in batches {
      for index in 0..<batch.count {
        let item = batch.items[index]
        if item.isWhole {
          try body(batch.value(index))
          continue
        }
        pieces.append(batch.digest(index), HashContext.digestSize)
        if item.offset == 0 { attributes = batch.attributes[index] }
        guard item.offset + item.length == Int(item.file?.status.st_size ?? 0) else { continue }
        var value = FileValue()
        HashContext.use { context in
          context.update(pieces.start, pieces.count)
          value.withDigestBytes(context.finish(into:))
        }
        if let attributes { value.mix(attributes) }
        try body(value)
        pieces.removeAll()
        attributes = nil
      }
    }
  }

  private func flush() {
    guard current.count > 0 else { return }
    let batch = current
    batches.append(batch)
    current = DigestBatch()
    jobs.run(batch.run)
  }
}

extension FileValue {
  /// Makes attributes a part of the digest.
  fileprivate mutating func mix(_ attributes: ByteBuffer) {
    hasAttributes = true
    HashContext.use { context in
      withDigestBytes { start in
        context.update(start, HashContext.digestSize)
        context.update(attributes.start, attributes.count)
        context.finish(into: start)
      }
    }
  }
}

/// Files that are hashed one after the other by one thread.
///
/// Unchecked: filled by one thread, then run by one job, then read by the first thread once the job
/// has ended; the group's semaphore and lock order these.
private final class DigestBatch: @unchecked Sendable {
  struct Item {
    var file: FileDigester.File?
    var value = FileValue()
    var offset = 0
    var length = 0
    var isWhole = true
  }

  private(set) var items: [Item] = []
  private(set) var size = 0
  /// The encoded attributes of items that have any.
  private(set) var attributes: [Int: ByteBuffer] = [:]
  private let digests = ByteBuffer()

  /// Directories are open as long as their files wait, and a process may have 1024 open files.
  private var directories = 0
  private var lastDirectory: CInt = -1

  var count: Int { items.count }

  var isFull: Bool { count >= 64 || size >= FileDigester.pieceSize || directories >= 16 }

  func add(_ file: FileDigester.File, offset: Int, length: Int, isWhole: Bool) {
    items.append(Item(file: file, offset: offset, length: length, isWhole: isWhole))
    size += length
    if file.directory != lastDirectory {
      lastDirectory = file.directory
      directories += 1
    }
  }

  func add(_ value: FileValue) {
    items.append(Item(file: nil, value: value))
  }

  func digest(_ index: Int) -> UnsafeMutableRawPointer {
    digests.start + index * HashContext.digestSize
  }

  func value(_ index: Int) -> FileValue {
    if items[index].file == nil { return items[index].value }
    var value = FileValue()
    value.withDigestBytes { memcpy($0, digest(index), HashContext.digestSize) }
    if let attributes = attributes[index] { value.mix(attributes) }
    return value
  }

  func run() throws {
    _ = digests.extend(by: items.count * HashContext.digestSize)
    try HashContext.use { context in
      for index in items.indices {
        guard let file = items[index].file else { continue }
        try hash(file, items[index], index, context)
        items[index].file?.listing = nil
      }
    }
  }

  private func hash(
    _ file: FileDigester.File, _ item: Item, _ index: Int, _ context: HashContext
  ) throws {
    let entry = SourceEntry(directory: file.directory, name: file.name, status: file.status)
    var flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    if file.directory != AT_FDCWD { flags |= O_NOFOLLOW }
    let descriptor = openat(file.directory, file.name, flags)
    guard descriptor >= 0 else {
      if file.mayChange && errno == ENOENT { throw SourceChanged(name: entry.nameBytes) }
      throw SystemError("open", path: entry.nameBytes)
    }
    defer { close(descriptor) }
    if file.mayChange { try check(descriptor, file, entry) }
    context.begin()
    var offset = item.offset
    let end = item.offset + item.length
    while offset < end {
      let count = pread(
        descriptor, context.buffer, min(HashContext.bufferSize, end - offset), off_t(offset))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read", path: entry.nameBytes) }
      guard count > 0 else { throw SourceChanged(name: entry.nameBytes) }
      context.update(context.buffer, count)
      offset += count
    }
    context.finish(into: digest(index))
    if item.offset == 0 && ExtendedAttributes.hasAny(descriptor) {
      let encoded = ByteBuffer(capacity: 64)
      try ExtendedAttributes.append(of: descriptor, file.attributes, to: encoded)
      if encoded.count > 0 { attributes[index] = encoded }
    }
    if file.mayChange { try check(descriptor, file, entry) }
  }

  private func check(
    _ descriptor: CInt, _ file: FileDigester.File, _ entry: SourceEntry
  ) throws {
    guard try TreeAccess.status(of: descriptor).isSameContent(as: file.status) else {
      throw SourceChanged(name: entry.nameBytes)
    }
  }
}

extension ExtendedAttributes {
  /// Encodes the attributes that travel, each name and value preceded by its length.
  static func append(
    of descriptor: CInt, _ selection: Selection, to buffer: ByteBuffer
  ) throws(SystemError) {
    try forEach(of: descriptor, selection) { name, value in
      buffer.append(text: name)
      buffer.append(number: UInt64(value.count))
      if let start = value.baseAddress { buffer.append(start, value.count) }
    }
  }
}
