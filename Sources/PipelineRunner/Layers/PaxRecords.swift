import Glibc
import PipelineDSL

/// What an extended header says about the entry that follows it.
struct PaxRecords {
  var path: [UInt8]?
  var linkPath: [UInt8]?
  var size: Int64?
  var uid: UInt32?
  var gid: UInt32?
  var modified: timespec?
  /// Extended attributes by name, in the order of the records.
  var attributes: [(name: [UInt8], value: [UInt8])] = []
  /// Keys of GNU's sparse files, such as `major` and `map`, and their values.
  var sparse: [String: [UInt8]] = [:]
  /// The offsets and lengths of the oldest of these formats, which repeats its keys.
  var sparseNumbers: [Int64] = []

  /// Reads records, each `LENGTH KEY=VALUE\n`.
  ///
  /// - Throws: where a record is malformed, or says again and otherwise what decides how the
  ///   archive is read: parsers that disagree on that see different archives (threat 8).
  init(_ bytes: UnsafeRawBufferPointer) throws {
    var offset = 0
    while offset < bytes.count {
      var length = 0
      var index = offset
      while index < bytes.count, bytes[index] != 0x20 {
        let digit = Int(bytes[index]) - 0x30
        guard (0...9).contains(digit), index - offset < 8 else { throw Self.malformed }
        length = length * 10 + digit
        index += 1
      }
      let end = offset + length
      guard length > 0, end <= bytes.count, index + 1 < end, bytes[end - 1] == 0x0A else {
        throw Self.malformed
      }
      let record = UnsafeRawBufferPointer(rebasing: bytes[(index + 1)..<(end - 1)])
      guard let start = record.baseAddress, let equals = memchr(start, 0x3D, record.count) else {
        throw Self.malformed
      }
      let keyLength = start.distance(to: UnsafeRawPointer(equals))
      try take(
        [UInt8](record[..<keyLength]),
        [UInt8](UnsafeRawBufferPointer(rebasing: record[(keyLength + 1)...])))
      offset = end
    }
  }

  private static let malformed = Diagnostic("an extended header of the archive is malformed")

  private mutating func take(_ key: [UInt8], _ value: [UInt8]) throws {
    switch String(decoding: key, as: UTF8.self) {
    case "path": try Self.set(&path, value)
    case "linkpath": try Self.set(&linkPath, value)
    case "size":
      guard let number = Self.number(value), let size = Int64(exactly: number) else {
        throw Diagnostic("an entry's size in the archive is no number")
      }
      try Self.set(&self.size, size)
    case "uid": uid = try Self.id(value)
    case "gid": gid = try Self.id(value)
    case "mtime": modified = try Self.time(value)
    case let name where name.hasPrefix("SCHILY.xattr."):
      attributes.append((Array(key.dropFirst("SCHILY.xattr.".utf8.count)), value))
    case "GNU.sparse.offset", "GNU.sparse.numbytes":
      guard let number = Self.number(value), let place = Int64(exactly: number) else {
        throw Self.malformed
      }
      sparseNumbers.append(place)
    case let name where name.hasPrefix("GNU.sparse."):
      sparse[String(name.dropFirst("GNU.sparse.".count))] = value
    default: break
    }
  }

  private static func set<Value: Equatable>(_ field: inout Value?, _ value: Value) throws {
    guard field == nil || field == value else {
      throw Diagnostic("an extended header of the archive says two different things of one entry")
    }
    field = value
  }

  /// Decimal digits; nil for anything else or more than fits.
  static func number(_ digits: some Collection<UInt8>) -> UInt64? {
    guard !digits.isEmpty, digits.count <= 19 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      value = value * 10 + UInt64(digit - 0x30)
    }
    return value
  }

  private static func id(_ digits: [UInt8]) throws -> UInt32 {
    guard let value = number(digits), value < UInt64(UInt32.max) else {
      throw Diagnostic(
        "the archive holds the owner '\(String(decoding: digits, as: UTF8.self))', which is no id")
    }
    return UInt32(value)
  }

  /// Seconds with an optional fraction, of which nine digits count.
  private static func time(_ text: [UInt8]) throws -> timespec {
    let isNegative = text.first == 0x2D
    let parts = (isNegative ? text.dropFirst() : text[...]).split(
      separator: 0x2E, maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, let seconds = number(whole), seconds <= UInt64(Int64.max) else {
      throw Diagnostic("an entry's time in the archive is no number")
    }
    // What lies before 1970 becomes 1970, as with BuildKit.
    if isNegative { return timespec() }
    var fraction = 0
    var scale = 100_000_000
    for digit in parts.count > 1 ? parts[1].prefix(9) : [] {
      guard (0x30...0x39).contains(digit) else {
        throw Diagnostic("an entry's time in the archive is no number")
      }
      fraction += Int(digit - 0x30) * scale
      scale /= 10
    }
    return timespec(tv_sec: Int(seconds), tv_nsec: fraction)
  }
}
