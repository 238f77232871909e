import Glibc
import SystemPackage

@testable import PipelineRunner

/// A tar archive put together byte by byte, so that it can be wrong in any way.
struct TarFixture {
  private(set) var bytes: [UInt8] = []

  /// Changes a header before its checksum is made.
  typealias Change = (inout [UInt8]) -> Void

  /// Adds an entry of any type.
  mutating func add(
    _ name: String, type: Character = "0", content: String = "", mode: Int = 0o644, uid: Int = 0,
    gid: Int = 0, time: Int = 1_000_000, link: String = "", major: Int = 0, minor: Int = 0,
    size: Int? = nil, _ change: Change = { _ in }
  ) {
    add(
      bytes: Array(name.utf8), type: type, content: Array(content.utf8), mode: mode, uid: uid,
      gid: gid, time: time, link: Array(link.utf8), major: major, minor: minor, size: size, change)
  }

  mutating func add(
    bytes name: [UInt8], type: Character = "0", content: [UInt8] = [], mode: Int = 0o644,
    uid: Int = 0, gid: Int = 0, time: Int = 1_000_000, link: [UInt8] = [], major: Int = 0,
    minor: Int = 0, size: Int? = nil, _ change: Change = { _ in }
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ value: [UInt8], at offset: Int) {
      header.replaceSubrange(offset..<(offset + value.count), with: value)
    }
    func octal(_ value: Int, _ digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
    put(Array(name.prefix(100)), at: 0)
    put(octal(mode, 7), at: 100)
    put(octal(uid, 7), at: 108)
    put(octal(gid, 7), at: 116)
    put(octal(size ?? content.count, 11), at: 124)
    put(octal(time, 11), at: 136)
    header[156] = type.asciiValue ?? 0x30
    put(Array(link.prefix(100)), at: 157)
    put(Array("ustar\u{0}00".utf8), at: 257)
    put(octal(major, 7), at: 329)
    put(octal(minor, 7), at: 337)
    change(&header)
    put(Array(repeating: 0x20, count: 8), at: 148)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], at: 148)
    bytes += header
    bytes += content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  mutating func directory(_ name: String, mode: Int = 0o755, uid: Int = 0, time: Int = 1_000_000) {
    add(name + "/", type: "5", mode: mode, uid: uid, time: time)
  }

  /// Adds an extended header.
  mutating func pax(_ records: [(String, String)], type: Character = "x") {
    pax(bytes: records.map { ($0, Array($1.utf8)) }, type: type)
  }

  mutating func pax(bytes records: [(String, [UInt8])], type: Character = "x") {
    var content: [UInt8] = []
    for (key, value) in records {
      let rest = key.utf8.count + value.count + 3
      var digits = 1
      while "\(rest + digits)".utf8.count > digits { digits += 1 }
      content += Array("\(rest + digits) \(key)=".utf8) + value + [0x0A]
    }
    add(bytes: Array("pax".utf8), type: type, content: content)
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  /// The archive with its end.
  var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

/// A blob in memory.
struct MemoryBlobs: BlobSource {
  var content: [UInt8]

  func open(_ descriptor: Descriptor) throws -> any BlobReader { Reader(content) }

  private final class Reader: BlobReader {
    private var rest: ArraySlice<UInt8>

    init(_ content: [UInt8]) { rest = content[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      let count = min(buffer.count, rest.count, 70_000)
      buffer.copyBytes(from: rest.prefix(count))
      rest = rest.dropFirst(count)
      return count
    }
  }
}
