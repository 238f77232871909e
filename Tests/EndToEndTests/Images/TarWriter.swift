/// Writes tar archives for tests, byte by byte: plain ustar, and PAX where a name is too long.
struct TarWriter {
  private var bytes: [UInt8] = []

  /// The archive with its end.
  var archive: [UInt8] { bytes + Array(repeating: 0, count: 1024) }

  mutating func addFile(
    _ name: String, _ content: [UInt8], mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
    modified: Int = 0
  ) {
    add(
      kind: "0", name, mode: mode, uid: uid, gid: gid, modified: modified, content: content)
  }

  mutating func addDirectory(
    _ name: String, mode: Int = 0o755, uid: Int = 0, gid: Int = 0, modified: Int = 0
  ) {
    add(kind: "5", name + "/", mode: mode, uid: uid, gid: gid, modified: modified)
  }

  mutating func addSymbolicLink(_ name: String, to target: String) {
    add(kind: "2", name, target: target, mode: 0o777)
  }

  mutating func addHardLink(_ name: String, to target: String, mode: Int = 0o644) {
    add(kind: "1", name, target: target, mode: mode)
  }

  /// A member of any kind; `extended` is written as a PAX header before it.
  mutating func add(
    kind: Character, _ name: String, target: String = "", mode: Int, uid: Int = 0, gid: Int = 0,
    modified: Int = 0, device: (major: Int, minor: Int) = (0, 0), content: [UInt8] = [],
    extended: [(key: String, value: [UInt8])] = []
  ) {
    var records = extended
    if name.utf8.count > 100 { records.append((key: "path", value: Array(name.utf8))) }
    if target.utf8.count > 100 { records.append((key: "linkpath", value: Array(target.utf8))) }
    if !records.isEmpty {
      let body = records.flatMap { Self.record($0.key, $0.value) }
      add(kind: "x", "PaxHeaders/0", mode: 0o644, content: body)
    }
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: some Sequence<UInt8>, at offset: Int, limit: Int) {
      for (index, byte) in text.prefix(limit).enumerated() { header[offset + index] = byte }
    }
    func put(_ number: Int, at offset: Int, digits: Int) {
      let octal = String(number, radix: 8)
      put(
        (String(repeating: "0", count: max(0, digits - octal.count)) + octal).utf8, at: offset,
        limit: digits)
    }
    put(name.utf8, at: 0, limit: 100)
    put(mode, at: 100, digits: 7)
    put(uid, at: 108, digits: 7)
    put(gid, at: 116, digits: 7)
    put(content.count, at: 124, digits: 11)
    put(modified, at: 136, digits: 11)
    put("        ".utf8, at: 148, limit: 8)
    put(kind.utf8, at: 156, limit: 1)
    put(target.utf8, at: 157, limit: 100)
    put("ustar\u{0}00".utf8, at: 257, limit: 8)
    put(device.major, at: 329, digits: 7)
    put(device.minor, at: 337, digits: 7)
    put(header.reduce(0) { $0 + Int($1) }, at: 148, digits: 6)
    header[154] = 0
    bytes += header + content
    bytes += Array(repeating: 0, count: (512 - content.count % 512) % 512)
  }

  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [0x0A]
    var length = rest.count
    while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
    return Array("\(length)".utf8) + rest
  }
}
