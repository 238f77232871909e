import Glibc

/// Bytes that grow at the end, copied by the C library: appending to an array byte by byte is what
/// makes debug builds slow.
final class ByteBuffer {
  private(set) var start: UnsafeMutableRawPointer
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    start = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { start.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  func removeAll() { count = 0 }

  func truncate(to size: Int) { count = size }

  /// The bytes as a C string, valid until the next change.
  var terminated: UnsafePointer<CChar> {
    extend(by: 1).storeBytes(of: 0, as: UInt8.self)
    count -= 1
    return UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
  }

  /// Lends the first bytes as a C string.
  func withPrefix<Result>(
    _ length: Int, _ body: (UnsafePointer<CChar>) throws -> Result
  ) rethrows -> Result {
    _ = terminated
    let saved = start.load(fromByteOffset: length, as: UInt8.self)
    start.storeBytes(of: 0, toByteOffset: length, as: UInt8.self)
    defer { start.storeBytes(of: saved, toByteOffset: length, as: UInt8.self) }
    return try body(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
  }

  /// Makes room for bytes at the end and returns where they go; they count at once.
  func extend(by size: Int) -> UnsafeMutableRawPointer {
    if count + size > capacity {
      while count + size > capacity { capacity *= 2 }
      let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
      memcpy(larger, start, count)
      start.deallocate()
      start = larger
    }
    defer { count += size }
    return start + count
  }

  func append(_ pointer: UnsafeRawPointer, _ size: Int) {
    memcpy(extend(by: size), pointer, size)
  }

  func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      if let base = buffer.baseAddress { append(base, buffer.count) }
    }
  }

  func append(byte: UInt8) {
    extend(by: 1).storeBytes(of: byte, as: UInt8.self)
  }

  /// Appends a number as eight bytes, the lowest first.
  func append(number: UInt64) {
    extend(by: 8).storeBytes(of: number.littleEndian, as: UInt64.self)
  }

  /// Appends a length and the bytes of a C string, so that no two lists of strings look alike.
  func append(text: UnsafePointer<CChar>) {
    let length = strlen(text)
    append(number: UInt64(length))
    append(text, length)
  }
}
