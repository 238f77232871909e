import Glibc
import PipelineDSL

/// Numbers of a tar header: octal digits, or bytes with the highest bit of the first one set.
enum TarNumber {
  /// The number in a field; an empty field is 0.
  static func value(_ field: UnsafeRawPointer, _ size: Int) throws -> Int64 {
    let first = field.load(as: UInt8.self)
    if first & 0x80 != 0 { return try binary(field, size) }
    var index = 0
    while index < size, isBlank(field.load(fromByteOffset: index, as: UInt8.self)) { index += 1 }
    var value: Int64 = 0
    while index < size {
      let byte = field.load(fromByteOffset: index, as: UInt8.self)
      if isBlank(byte) { break }
      guard (0x30...0x37).contains(byte) else { throw malformed }
      value = value << 3 | Int64(byte - 0x30)
      index += 1
    }
    while index < size {
      guard isBlank(field.load(fromByteOffset: index, as: UInt8.self)) else { throw malformed }
      index += 1
    }
    return value
  }

  private static let malformed = Diagnostic("a header of the archive holds something for a number")

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0 || byte == 0x20 }

  /// Two's complement, the highest byte first, with the mark in the highest bit.
  private static func binary(_ field: UnsafeRawPointer, _ size: Int) throws -> Int64 {
    let first = field.load(as: UInt8.self)
    let isNegative = first & 0x40 != 0
    // The bits of the first byte below the mark, with the sign carried up.
    var value: Int64 = isNegative ? Int64(first) | ~0xFF : Int64(first & 0x3F)
    for index in 1..<size {
      guard value >> 55 == 0 || value >> 55 == -1 else { throw malformed }
      value = value << 8 | Int64(field.load(fromByteOffset: index, as: UInt8.self))
    }
    return value
  }

  /// The size of an entry's content.
  static func size(_ field: UnsafeRawPointer) throws -> Int64 {
    let size = try value(field, 12)
    guard size >= 0, size < 1 << 62 else {
      throw Diagnostic("an entry of the archive has the size \(size)")
    }
    return size
  }

  /// The zero bytes that fill the last record.
  static func padding(_ size: Int64) -> Int64 { (512 - size % 512) % 512 }

  static func id(_ field: UnsafeRawPointer) throws -> UInt32 {
    let id = try value(field, 8)
    // -1 is what chown(2) takes for "leave as it is".
    guard let result = UInt32(exactly: id), result != .max else {
      throw Diagnostic("the archive holds the owner \(id), which is no id")
    }
    return result
  }

  static func time(_ field: UnsafeRawPointer) throws -> timespec {
    // What lies before 1970 becomes 1970, as with BuildKit.
    timespec(tv_sec: Int(max(0, try value(field, 12))), tv_nsec: 0)
  }

  static func device(_ field: UnsafeRawPointer) throws -> UInt32 {
    let number = try value(field, 8)
    guard let result = UInt32(exactly: number) else {
      throw Diagnostic("the archive holds the device number \(number)")
    }
    return result
  }
}
