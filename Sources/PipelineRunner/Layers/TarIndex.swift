import PipelineDSL
import SystemPackage

/// Where the members of an uncompressed tar stand in it, so that they are read without unpacking.
///
/// Knows ustar, the names and sizes of PAX headers and the long names of GNU tar. Sizes that
/// contradict each other are rejected, since other readers would take them otherwise (threat 8).
struct TarIndex: Sendable {
  enum Member: Sendable {
    case file(FileSlice)
    /// A symbolic link, relative to its directory.
    case link(String)
    /// A hard link to another member.
    case hardLink(String)
    case directory
    case other
  }

  let file: SharedFile
  private var members: [String: Member] = [:]

  /// The last member of a name counts, as for every reader of tars.
  subscript(name: String) -> Member? { members[name] }

  var names: Dictionary<String, Member>.Keys { members.keys }

  /// A regular file by name, links followed inside the archive.
  func slice(_ name: String) -> FileSlice? {
    var name = Self.normalized(name)
    for _ in 0..<8 {
      switch members[name] {
      case .file(let slice): return slice
      case .hardLink(let target): name = Self.normalized(target)
      case .link(let target):
        let folder = name.split(separator: "/").dropLast().joined(separator: "/")
        name = Self.normalized(target.hasPrefix("/") ? target : "\(folder)/\(target)")
      case .directory, .other, nil: return nil
      }
    }
    return nil
  }

  /// Whether the first block of a file is a tar header.
  static func isTar(_ head: [UInt8]) -> Bool {
    head.count == 512 && isHeader(head)
  }

  /// Walks over the headers of a tar.
  ///
  /// `limit` says how many members are looked at; a root file system shows itself in the first few.
  init(_ file: SharedFile, limit: Int = 200_000) throws {
    self.file = file
    var offset: Int64 = 0
    var next = Extension()
    var count = 0
    while count < limit {
      let header = try file.read(at: offset, count: 512)
      // The end is two blocks of zeros, or the end of the file.
      if header.isEmpty || header.allSatisfy({ $0 == 0 }) { return }
      guard header.count == 512, Self.isHeader(header) else { throw damaged(offset) }
      guard let plainSize = Self.number(header[124..<136]), plainSize >= 0 else {
        throw damaged(offset)
      }
      let kind = header[156]
      let data = offset + 512
      switch kind {
      case UInt8(ascii: "x"), UInt8(ascii: "g"):
        // A global header says nothing of one file that matters here.
        if kind == UInt8(ascii: "x") {
          try next.apply(pax: try document(data, plainSize, offset)) { damaged(offset) }
        }
        offset = try end(of: plainSize, after: data)
        continue
      case UInt8(ascii: "L"):
        next.name = Self.text(try document(data, plainSize, offset)[...])
        offset = try end(of: plainSize, after: data)
        continue
      case UInt8(ascii: "K"):
        next.link = Self.text(try document(data, plainSize, offset)[...])
        offset = try end(of: plainSize, after: data)
        continue
      default: break
      }
      // Links, devices and directories have no data, whatever their size field says.
      let hasData = !(UInt8(ascii: "1")...UInt8(ascii: "6")).contains(kind)
      let size = hasData ? next.size ?? plainSize : 0
      let name = next.name ?? Self.plainName(header)
      let link = next.link ?? Self.text(header[157..<257])
      let start = kind == UInt8(ascii: "S") ? try skipSparseMap(header, data) : data
      add(name, kind, link, FileSlice(of: file, offset: start, size: size))
      next = Extension()
      count += 1
      offset = try end(of: size, after: start)
    }
  }

  /// The map of a sparse file goes on in blocks of its own while their last byte says so.
  private func skipSparseMap(_ header: [UInt8], _ data: Int64) throws -> Int64 {
    var data = data
    var goesOn = header[482] != 0
    while goesOn {
      let block = try file.read(at: data, count: 512)
      guard block.count == 512 else { throw damaged(data) }
      goesOn = block[504] != 0
      data += 512
    }
    return data
  }

  private mutating func add(_ name: String, _ kind: UInt8, _ link: String, _ slice: FileSlice) {
    let isDirectory = kind == UInt8(ascii: "5") || name.hasSuffix("/")
    members[Self.normalized(name)] =
      switch kind {
      case _ where isDirectory: .directory
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file(slice)
      case UInt8(ascii: "1"): .hardLink(link)
      case UInt8(ascii: "2"): .link(link)
      default: .other
      }
  }

  /// What headers before a member say of it.
  private struct Extension {
    var name: String?
    var link: String?
    var size: Int64?

    /// Reads records of the form `LENGTH KEY=VALUE\n`.
    mutating func apply(pax: [UInt8], _ damaged: () -> Diagnostic) throws(Diagnostic) {
      var rest = pax[...]
      while !rest.isEmpty, rest.first != 0 {
        guard let blank = rest.firstIndex(of: UInt8(ascii: " ")),
          let length = Int(TarIndex.text(rest[..<blank])), length > blank - rest.startIndex + 1,
          length <= rest.count, rest[rest.startIndex + length - 1] == UInt8(ascii: "\n")
        else { throw damaged() }
        let record = rest[(blank + 1)..<(rest.startIndex + length - 1)]
        guard let sign = record.firstIndex(of: UInt8(ascii: "=")) else { throw damaged() }
        let value = record[(sign + 1)...]
        switch TarIndex.text(record[..<sign]) {
        case "path": name = TarIndex.text(value)
        case "linkpath": link = TarIndex.text(value)
        case "size":
          guard let size = Int64(TarIndex.text(value)), size >= 0 else { throw damaged() }
          self.size = size
        default: break
        }
        rest = rest[(rest.startIndex + length)...]
      }
    }
  }

  // MARK: - Fields

  private func document(_ start: Int64, _ size: Int64, _ header: Int64) throws -> [UInt8] {
    guard size <= 1 << 20 else { throw damaged(header) }
    let bytes = try file.read(at: start, count: Int(size))
    guard bytes.count == size else { throw damaged(header) }
    return bytes
  }

  /// The offset of the next header.
  private func end(of size: Int64, after data: Int64) throws -> Int64 {
    let (end, overflow) = data.addingReportingOverflow(size)
    guard !overflow, end <= file.size else { throw damaged(data - 512) }
    return (end + 511) / 512 * 512
  }

  private func damaged(_ offset: Int64) -> Diagnostic {
    Diagnostic("'\(file.path)' is damaged: there is no tar header at byte \(offset)")
  }

  /// The checksum of a header is the sum of its bytes with blanks in place of itself.
  private static func isHeader(_ header: [UInt8]) -> Bool {
    guard let stored = number(header[148..<156]) else { return false }
    var sum: Int64 = 8 * 32
    for (index, byte) in header.enumerated() where !(148..<156).contains(index) {
      sum += Int64(byte)
    }
    return sum == stored
  }

  /// Octal digits, or big-endian bytes after 0x80 as GNU tar writes what does not fit.
  private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
    if field.first == 0x80 {
      return field.dropFirst().reduce(Int64?(0)) { value, byte in
        guard let value, value < Int64.max >> 8 else { return nil }
        return value << 8 | Int64(byte)
      }
    }
    let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
    if digits.isEmpty { return 0 }
    return Int64(String(decoding: digits, as: UTF8.self), radix: 8)
  }

  private static func plainName(_ header: [UInt8]) -> String {
    let name = text(header[0..<100])
    guard header[257..<263].elementsEqual("ustar\0".utf8) else { return name }
    let prefix = text(header[345..<500])
    return prefix.isEmpty ? name : "\(prefix)/\(name)"
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func normalized(_ name: String) -> String {
    var parts: [Substring] = []
    for part in name.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }
}
