import Glibc
import PipelineDSL

/// What a tar says of one entry.
struct TarEntry {
  enum Kind: UInt8 {
    case file = 0x30
    case hardLink = 0x31
    case link = 0x32
    case characterDevice = 0x33
    case blockDevice = 0x34
    case directory = 0x35
    case fifo = 0x36
  }

  var kind: Kind
  /// Permission bits, setuid and its like included.
  var mode: UInt32 = 0
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  /// Bytes of content that follow; 0 for anything but a file.
  var size: Int64 = 0
  /// Seconds since 1970.
  var modified: Int64 = 0
  var major: UInt32 = 0
  var minor: UInt32 = 0
}

/// Writes tar headers: POSIX ustar, with PAX records only for what has no room there.
///
/// The bytes depend on the entry alone: no user names, no access times, no process id in the names
/// of extended headers. Names are written as the bytes they are.
final class TarWriter {
  /// A PAX record's name and value.
  typealias Record = (key: [UInt8], value: [UInt8])

  private let writer: LayerBlobWriter
  private let records = ByteBuffer()

  /// The longest name that the header's name field holds.
  private static let nameSize = 100
  private static let prefixSize = 155
  private static let largestID: UInt32 = 0o7_777_777
  private static let largestSize: Int64 = 0o77_777_777_777

  init(_ writer: LayerBlobWriter) {
    self.writer = writer
  }

  /// Writes the header of an entry; a file's content follows.
  func write(
    _ entry: TarEntry, name: UnsafePointer<CChar>, link: UnsafePointer<CChar>? = nil,
    extra: [Record] = []
  ) throws {
    let nameLength = strlen(name)
    let split = Self.split(name, nameLength)
    let linkLength = link.map { strlen($0) } ?? 0
    records.removeAll()
    if split == nil { try add("path", name, nameLength) }
    if let link, linkLength > Self.nameSize { try add("linkpath", link, linkLength) }
    if entry.uid > Self.largestID { add("uid", "\(entry.uid)") }
    if entry.gid > Self.largestID { add("gid", "\(entry.gid)") }
    if entry.size > Self.largestSize { add("size", "\(entry.size)") }
    if entry.modified < 0 || entry.modified > Self.largestSize {
      add("mtime", "\(entry.modified)")
    }
    for record in extra { add(record.key, record.value) }
    if records.count > 0 {
      let header = try writer.record()
      Self.fill(header, typeFlag: 0x78, mode: 0o644, uid: 0, gid: 0, size: Int64(records.count))
      memcpy(header, "PaxHeaders.0/entry", 18)
      Self.seal(header)
      try writer.append(records.start, records.count)
    }
    let header = try writer.record()
    Self.fill(
      header, typeFlag: entry.kind.rawValue, mode: entry.mode, uid: min(entry.uid, Self.largestID),
      gid: min(entry.gid, Self.largestID),
      size: entry.size > Self.largestSize ? 0 : entry.size,
      modified: max(0, min(entry.modified, Self.largestSize)))
    if let split, split > 0 {
      memcpy(header + 345, name, split)
      memcpy(header, name + split + 1, nameLength - split - 1)
    } else {
      memcpy(header, name, min(nameLength, Self.nameSize))
    }
    if let link { memcpy(header + 157, link, min(linkLength, Self.nameSize)) }
    if entry.kind == .characterDevice || entry.kind == .blockDevice {
      Self.octal(header + 329, 7, UInt64(entry.major))
      Self.octal(header + 337, 7, UInt64(entry.minor))
    }
    Self.seal(header)
  }

  /// Where a name is cut into prefix and name: 0 where it need not be, nil where it cannot be.
  private static func split(_ name: UnsafePointer<CChar>, _ length: Int) -> Int? {
    if length <= nameSize { return 0 }
    guard length <= prefixSize + 1 + nameSize else { return nil }
    // The last slash in reach; the slash that ends a directory's name belongs to the name.
    var index = min(prefixSize, length - 2)
    while index > 0 && name[index] != 0x2F { index -= 1 }
    return index > 0 && length - index - 1 <= nameSize ? index : nil
  }

  // MARK: PAX

  private func add(_ key: String, _ text: UnsafePointer<CChar>, _ length: Int) throws {
    let value = [UInt8](UnsafeRawBufferPointer(start: text, count: length))
    if String(validating: value, as: UTF8.self) == nil && records.count == 0 {
      // Without this a reader may convert the names in the records from UTF-8, which they are not.
      add("hdrcharset", "BINARY")
    }
    add(Array(key.utf8), value)
  }

  private func add(_ key: String, _ value: String) {
    add(Array(key.utf8), Array(value.utf8))
  }

  /// A record is preceded by its own length, digits included.
  private func add(_ key: [UInt8], _ value: [UInt8]) {
    let rest = key.count + value.count + 3
    var digits = 1
    while "\(rest + digits)".utf8.count > digits { digits += 1 }
    records.append(Array("\(rest + digits) ".utf8))
    records.append(key)
    records.append(byte: 0x3D)
    records.append(value)
    records.append(byte: 0x0A)
  }

  // MARK: Header fields

  private static func fill(
    _ header: UnsafeMutableRawPointer, typeFlag: UInt8, mode: UInt32, uid: UInt32, gid: UInt32,
    size: Int64, modified: Int64 = 0
  ) {
    memset(header, 0, 512)
    octal(header + 100, 7, UInt64(mode))
    octal(header + 108, 7, UInt64(uid))
    octal(header + 116, 7, UInt64(gid))
    octal(header + 124, 11, UInt64(size))
    octal(header + 136, 11, UInt64(modified))
    header.storeBytes(of: typeFlag, toByteOffset: 156, as: UInt8.self)
    memcpy(header + 257, "ustar\u{0}00", 8)
    octal(header + 329, 7, 0)
    octal(header + 337, 7, 0)
  }

  /// Writes a number with leading zeros; the byte after it stays NUL.
  private static func octal(_ field: UnsafeMutableRawPointer, _ digits: Int, _ number: UInt64) {
    memset(field, 0x30, digits)
    var rest = number
    var index = digits - 1
    while rest > 0 && index >= 0 {
      field.storeBytes(of: 0x30 + UInt8(rest & 7), toByteOffset: index, as: UInt8.self)
      rest >>= 3
      index -= 1
    }
  }

  private static func seal(_ header: UnsafeMutableRawPointer) {
    memset(header + 148, 0x20, 8)
    octal(header + 148, 6, UInt64(TarChecksum.unsigned(header)))
    header.storeBytes(of: 0, toByteOffset: 154, as: UInt8.self)
  }
}

/// The sum of a header's bytes.
enum TarChecksum {
  /// Adds 512 bytes, eight at a time in lanes of 16 bits, since this runs once an entry.
  static func unsigned(_ header: UnsafeRawPointer) -> UInt32 {
    let mask: UInt64 = 0x00FF_00FF_00FF_00FF
    var lanes: UInt64 = 0
    var offset = 0
    while offset < 512 {
      let word = header.load(fromByteOffset: offset, as: UInt64.self)
      // 128 additions of at most 255 fit into 16 bits.
      lanes &+= (word & mask) &+ (word >> 8 & mask)
      offset += 8
    }
    return UInt32(
      (lanes & 0xFFFF) + (lanes >> 16 & 0xFFFF) + (lanes >> 32 & 0xFFFF) + (lanes >> 48))
  }
}
