/// One member of a tar archive, with what its extended headers say.
struct TarMember: Sendable {
  enum Kind: Equatable {
    case file
    case directory
    case symbolicLink
    case hardLink
    case characterDevice
    case blockDevice
    case fifo
  }

  var kind: Kind
  /// As `PlainText.name` writes it.
  var name: String
  var target = ""
  var mode: Int
  var uid: Int
  var gid: Int
  /// Whole seconds.
  var modified: Int
  var device: (major: Int, minor: Int) = (0, 0)
  /// Values in hexadecimal digits, by name.
  var attributes: [String: String] = [:]
  /// Where its content lies in the archive.
  var content: Range<Int>
}

/// Reads tar archives: ustar, GNU long names, and PAX headers.
///
/// It shares nothing with what writes our layers, so that a misunderstanding there is not read back
/// as intended.
enum TarReader {
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  static func members(of archive: [UInt8]) throws -> [TarMember] {
    var members: [TarMember] = []
    var extra: [String: [UInt8]] = [:]
    var offset = 0
    while offset + 512 <= archive.count {
      let header = Array(archive[offset..<offset + 512])
      if header.allSatisfy({ $0 == 0 }) { return members }
      try verify(header, at: offset)
      let kind = header[156]
      let isExtension = kind == ascii("x") || kind == ascii("L") || kind == ascii("K")
      var size = try number(header[124..<136])
      if !isExtension, let text = extra["size"] { size = try decimal(text) }
      let content = offset + 512..<offset + 512 + size
      guard content.upperBound <= archive.count else {
        throw Malformed(description: "the archive ends within a member at \(offset)")
      }
      offset = content.lowerBound + (size + 511) / 512 * 512
      switch kind {
      case ascii("x"): try readPAX(Array(archive[content]), into: &extra)
      case ascii("g"): continue
      case ascii("L"): extra["path"] = text(archive[content])
      case ascii("K"): extra["linkpath"] = text(archive[content])
      default:
        members.append(try member(header, content, extra))
        extra = [:]
      }
    }
    throw Malformed(description: "the archive has no end")
  }

  private static func member(
    _ header: [UInt8], _ content: Range<Int>, _ extra: [String: [UInt8]]
  ) throws -> TarMember {
    let kinds: [UInt8: TarMember.Kind] = [
      0: .file, ascii("0"): .file, ascii("1"): .hardLink, ascii("2"): .symbolicLink,
      ascii("3"): .characterDevice, ascii("4"): .blockDevice, ascii("5"): .directory,
      ascii("6"): .fifo,
    ]
    guard let kind = kinds[header[156]] else {
      throw Malformed(description: "unknown kind of member \(header[156])")
    }
    var name = text(header[0..<100])
    let prefix = text(header[345..<500])
    if !prefix.isEmpty, header[257..<263].elementsEqual("ustar\0".utf8) {
      name = prefix + [ascii("/")] + name
    }
    var member = TarMember(
      kind: kind, name: PlainText.name(extra["path"] ?? name),
      target: PlainText.name(extra["linkpath"] ?? text(header[157..<257])),
      mode: try number(header[100..<108]) & 0o7777,
      uid: try extra["uid"].map(decimal) ?? number(header[108..<116]),
      gid: try extra["gid"].map(decimal) ?? number(header[116..<124]),
      modified: try extra["mtime"].map(seconds) ?? number(header[136..<148]), content: content)
    if kind == .characterDevice || kind == .blockDevice {
      member.device = (try number(header[329..<337]), try number(header[337..<345]))
    }
    for (key, value) in extra where key.hasPrefix("SCHILY.xattr.") {
      member.attributes[String(key.dropFirst(13))] =
        value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    return member
  }

  /// The records of a PAX header: `length key=value\n`, the length counting all of it.
  private static func readPAX(_ bytes: [UInt8], into extra: inout [String: [UInt8]]) throws {
    var rest = bytes[...]
    while let blank = rest.firstIndex(of: 0x20) {
      let length = try decimal(Array(rest[rest.startIndex..<blank]))
      guard length > 0, length <= rest.count else {
        throw Malformed(description: "a PAX record of length \(length)")
      }
      let record = rest[blank + 1..<rest.startIndex + length - 1]
      guard let equals = record.firstIndex(of: ascii("=")), rest[record.endIndex] == 0x0A else {
        throw Malformed(description: "a PAX record without a key or an end")
      }
      let key = String(decoding: record[record.startIndex..<equals], as: UTF8.self)
      extra[key] = Array(record[(equals + 1)...])
      rest = rest[(record.endIndex + 1)...]
    }
  }

  private static func verify(_ header: [UInt8], at offset: Int) throws {
    var sum = 8 * 0x20
    for (index, byte) in header.enumerated() where !(148..<156).contains(index) {
      sum += Int(byte)
    }
    guard try number(header[148..<156]) == sum else {
      throw Malformed(description: "wrong header checksum at \(offset)")
    }
  }

  /// Octal digits, or GNU's binary form for what does not fit.
  private static func number(_ field: ArraySlice<UInt8>) throws -> Int {
    if let first = field.first, first & 0x80 != 0 {
      let start = first == 0xFF ? -1 : Int(first & 0x7F)
      return field.dropFirst().reduce(start) { $0 << 8 | Int($1) }
    }
    let digits = String(decoding: field.filter { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
    guard !digits.isEmpty else { return 0 }
    guard let value = Int(digits, radix: 8) else {
      throw Malformed(description: "'\(digits)' is no octal number")
    }
    return value
  }

  private static func decimal(_ bytes: [UInt8]) throws -> Int {
    guard let value = Int(String(decoding: bytes, as: UTF8.self)) else {
      throw Malformed(description: "\(PlainText.quoted(bytes)) is no number")
    }
    return value
  }

  /// A PAX time without its fraction, rounded down.
  private static func seconds(_ bytes: [UInt8]) throws -> Int {
    let parts = bytes.split(separator: ascii("."), maxSplits: 1)
    let whole = try decimal(Array(parts.first ?? []))
    let hasFraction = parts.count > 1 && parts[1].contains { $0 != ascii("0") }
    return bytes.first == ascii("-") && hasFraction ? whole - 1 : whole
  }

  private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

  private static func ascii(_ character: Unicode.Scalar) -> UInt8 { UInt8(character.value) }
}
