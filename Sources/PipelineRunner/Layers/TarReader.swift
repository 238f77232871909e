import Glibc
import PipelineDSL

/// Reads a layer's tar, strictly: ustar, GNU and PAX headers, names as the bytes they are.
///
/// Where programs are known to read one archive differently (a PAX size beside another in the
/// header, a PAX path beside a GNU long name, two extended headers for one entry) the archive is
/// refused, so that nobody is shown another layer than we unpack (threat 8).
final class TarReader {
  /// The largest extended header or long name that is read.
  private static let largestExtension: Int64 = 1 << 20

  private let stream: TarStream
  /// Bytes of the current entry's content that were not read yet, and the padding after them.
  private var remaining: Int64 = 0
  private var padding: Int64 = 0
  private var longName: [UInt8]?
  private var longLink: [UInt8]?
  private var pax: PaxRecords?

  // The current entry; kept here so that an entry allocates nothing that it does not need.
  private(set) var entry = TarEntry(kind: .file)
  /// Nanoseconds of the entry's time.
  private(set) var nanoseconds = 0
  /// The name and the link target, each followed by a NUL.
  let name = ByteBuffer()
  let link = ByteBuffer()
  private(set) var attributes: [(name: [UInt8], value: [UInt8])] = []
  /// Where the content belongs; nil where it is one piece from the start to the end.
  private(set) var sparse: SparseMap?

  init(_ stream: TarStream) {
    self.stream = stream
  }

  /// Goes to the next entry; false at the end.
  func next() throws -> Bool {
    try stream.skip(remaining + padding)
    (remaining, padding) = (0, 0)
    (longName, longLink, pax) = (nil, nil, nil)
    while true {
      guard let header = try stream.record() else {
        // An archive that just ends is read by every other program.
        guard longName == nil, longLink == nil, pax == nil else { throw Self.dangling }
        return false
      }
      if Self.isZero(header) {
        guard longName == nil, longLink == nil, pax == nil else { throw Self.dangling }
        guard let second = try stream.record() else { return false }
        guard Self.isZero(second) else {
          throw Diagnostic("the archive has an empty record in the middle")
        }
        return false
      }
      try Self.verify(header)
      if try read(header) { return true }
    }
  }

  /// Some bytes of the entry's content, valid until the next call; empty at its end.
  func content() throws -> UnsafeRawBufferPointer {
    if remaining == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let bytes = try stream.bytes(remaining)
    remaining -= Int64(bytes.count)
    return bytes
  }

  // MARK: Headers

  private static let dangling = Diagnostic(
    "the archive ends after an extended header that belongs to no entry")

  /// Takes a header in; true where it is an entry's own.
  private func read(_ header: UnsafeRawPointer) throws -> Bool {
    let size = try TarNumber.size(header + 124)
    let flag = header.load(fromByteOffset: 156, as: UInt8.self)
    switch flag {
    case UInt8(ascii: "x"):
      guard pax == nil else { throw Self.repeated }
      pax = try Self.records(size, stream)
      return false
    case UInt8(ascii: "g"):
      try checkGlobal(size)
      return false
    case UInt8(ascii: "L"):
      guard longName == nil else { throw Self.repeated }
      longName = try Self.longText(size, stream)
      return false
    case UInt8(ascii: "K"):
      guard longLink == nil else { throw Self.repeated }
      longLink = try Self.longText(size, stream)
      return false
    default: break
    }
    try readEntry(header, flag, headerSize: size)
    return true
  }

  private static let repeated = Diagnostic(
    "the archive has two extended headers of one kind for one entry")

  private static func extensionBytes(_ size: Int64, _ stream: TarStream) throws -> [UInt8] {
    guard size <= largestExtension else {
      throw Diagnostic(
        "an extended header of the archive has \(size) bytes; \(largestExtension) are possible")
    }
    var bytes: [UInt8] = []
    while bytes.count < Int(size) { bytes += try stream.bytes(size - Int64(bytes.count)) }
    try stream.skip(TarNumber.padding(size))
    return bytes
  }

  private static func records(_ size: Int64, _ stream: TarStream) throws -> PaxRecords {
    try extensionBytes(size, stream).withUnsafeBytes { try PaxRecords($0) }
  }

  private static func longText(_ size: Int64, _ stream: TarStream) throws -> [UInt8] {
    let bytes = try extensionBytes(size, stream)
    return Array(bytes.prefix { $0 != 0 })
  }

  /// Global headers hold comments; what would change entries is used by no writer of layers, and
  /// programs differ in whether they heed it.
  private func checkGlobal(_ size: Int64) throws {
    let records = try Self.records(size, stream)
    guard records.path == nil, records.linkPath == nil, records.size == nil, records.uid == nil,
      records.gid == nil, records.sparse.isEmpty, records.sparseNumbers.isEmpty,
      records.attributes.isEmpty
    else { throw Diagnostic("a global header of the archive changes the entries after it") }
  }

  private func readEntry(_ header: UnsafeRawPointer, _ flag: UInt8, headerSize: Int64) throws {
    let format = TarFormat(header)
    readName(header, format)
    try name.take(over: longName, pax?.path)
    link.removeAll()
    link.appendText(header + 157, 100)
    try link.take(over: longLink, pax?.linkPath)
    entry = TarEntry(kind: try kind(flag))
    entry.mode = UInt32(truncatingIfNeeded: try TarNumber.value(header + 100, 8)) & 0o7777
    entry.uid = try pax?.uid ?? TarNumber.id(header + 108)
    entry.gid = try pax?.gid ?? TarNumber.id(header + 116)
    let modified = try pax?.modified ?? TarNumber.time(header + 136)
    entry.modified = Int64(modified.tv_sec)
    nanoseconds = Int(modified.tv_nsec)
    attributes = pax?.attributes ?? []
    sparse = nil
    if entry.kind == .characterDevice || entry.kind == .blockDevice {
      entry.major = try TarNumber.device(header + 329)
      entry.minor = try TarNumber.device(header + 337)
    }
    // Sizes of anything else mean nothing: no content follows, whatever they say (as Go has it).
    guard entry.kind == .file else { return }
    let size = try contentSize(headerSize)
    (remaining, padding) = (size, TarNumber.padding(size))
    entry.size = size
    if flag == UInt8(ascii: "S") {
      sparse = try SparseMap(oldGNU: header, stream)
    } else if let pax, !pax.sparse.isEmpty || !pax.sparseNumbers.isEmpty {
      try readSparse(pax)
    }
    if let sparse {
      guard sparse.dataSize == remaining else { throw SparseMap.malformed }
      entry.size = sparse.fileSize
    }
  }

  private func contentSize(_ headerSize: Int64) throws -> Int64 {
    guard let size = pax?.size else { return headerSize }
    // A header that has room for the size must not say another one.
    guard headerSize == 0 || headerSize == size || size > 0o77_777_777_777 else {
      throw Diagnostic(
        "the archive gives an entry two sizes, \(headerSize) and \(size)")
    }
    return size
  }

  private func readSparse(_ pax: PaxRecords) throws {
    if let real = pax.sparse["name"] { name.set(real) }
    if pax.sparse["major"] == [0x31] {
      let taken = remaining
      let map = try SparseMap(version1: pax, stream, limit: remaining)
      sparse = map
      remaining = taken - map.headerSize
    } else {
      sparse = try SparseMap(version0: pax)
    }
  }

  private func readName(_ header: UnsafeRawPointer, _ format: TarFormat) {
    name.removeAll()
    if format.prefixSize > 0, header.load(fromByteOffset: 345, as: UInt8.self) != 0 {
      name.appendText(header + 345, format.prefixSize)
      name.append(byte: UInt8(ascii: "/"))
    }
    name.appendText(header, 100)
  }

  private func kind(_ flag: UInt8) throws -> TarEntry.Kind {
    switch flag {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
      // Before ustar a directory was a file whose name ends in a slash.
      return flag == 0 && name.bytes.last == UInt8(ascii: "/") ? .directory : .file
    case UInt8(ascii: "S"): return .file
    default:
      guard let kind = TarEntry.Kind(rawValue: flag) else {
        throw Diagnostic(
          "the archive entry '\(String(decoding: name.bytes, as: UTF8.self))' has the unknown type"
            + " \(flag)")
      }
      return kind
    }
  }

  // MARK: Records

  private static func isZero(_ header: UnsafeRawPointer) -> Bool {
    // A header's first byte belongs to its name, so that this is nearly always all there is to do.
    if header.load(as: UInt8.self) != 0 { return false }
    return memcmp(header, header + 1, 511) == 0
  }

  private static func verify(_ header: UnsafeRawPointer) throws {
    let stored = try? TarNumber.value(header + 148, 8)
    let field = (0..<8).reduce(UInt32(0)) {
      $0 + UInt32(header.load(fromByteOffset: 148 + $1, as: UInt8.self))
    }
    let sum = TarChecksum.unsigned(header) - field + 8 * 0x20
    if stored == Int64(sum) { return }
    // Some old programs added signed bytes.
    var signed = Int64(8 * 0x20)
    for index in 0..<512 where !(148..<156).contains(index) {
      signed += Int64(header.load(fromByteOffset: index, as: Int8.self))
    }
    guard stored == signed else {
      throw Diagnostic("a header of the archive is damaged: its checksum is wrong")
    }
  }
}

/// Which of the tar formats a header is in, as far as it decides what the fields after the device
/// numbers mean.
struct TarFormat {
  /// How many bytes of the name's beginning stand in a field of their own.
  var prefixSize: Int

  init(_ header: UnsafeRawPointer) {
    if memcmp(header + 257, "ustar\u{0}", 6) != 0 {
      prefixSize = 0
    } else {
      // star keeps times behind a shorter prefix.
      prefixSize = memcmp(header + 508, "tar\u{0}", 4) == 0 ? 131 : 155
    }
  }
}

extension ByteBuffer {
  /// Appends a field's bytes up to its first NUL.
  fileprivate func appendText(_ field: UnsafeRawPointer, _ size: Int) {
    append(field, strnlen(field.assumingMemoryBound(to: CChar.self), size))
  }

  fileprivate func set(_ bytes: [UInt8]) {
    removeAll()
    append(bytes)
  }

  /// Replaces what the header says by what extended headers say, which must agree.
  fileprivate func take(over long: [UInt8]?, _ pax: [UInt8]?) throws {
    if let long, let pax, long != pax {
      throw Diagnostic("the archive gives an entry two names")
    }
    if let bytes = pax ?? long { set(bytes) }
  }
}
