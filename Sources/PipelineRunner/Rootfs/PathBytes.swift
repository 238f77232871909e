/// Paths as bytes with `/` between components: what strings would do, without being strings.
enum PathBytes {
  private static let slash = UInt8(ascii: "/")

  /// The components of a path after `.` and `..` were worked out on paper; nothing leads above the
  /// root (C1).
  static func components(_ path: [UInt8]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    for part in path.split(separator: slash) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) {
        _ = result.popLast()
      } else {
        result.append(Array(part))
      }
    }
    return result
  }

  /// The components as they stand, `..` included: for links, where it follows what it stands after.
  static func parts(_ path: [UInt8]) -> [[UInt8]] {
    path.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }.map(Array.init)
  }

  /// Components with a slash between them and none in front.
  static func join(_ components: ArraySlice<[UInt8]>) -> [UInt8] {
    Array(components.joined(separator: [slash]))
  }

  /// What stands after the last slash.
  static func lastComponent(_ path: [UInt8]) -> [UInt8] {
    guard let index = path.lastIndex(of: slash) else { return path }
    return Array(path[(index + 1)...])
  }

  /// The path of a name in a directory.
  static func appending(_ path: [UInt8], _ name: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result = path
    if !result.isEmpty { result.append(slash) }
    result.append(contentsOf: name)
    return result
  }

  /// Splits at the first `/./`; without one everything is kept (C10).
  static func pivot(_ path: [UInt8]) -> (base: [UInt8], rest: [UInt8]) {
    let mark = Array("/./".utf8)
    var index = 0
    while index + mark.count <= path.count {
      if path[index..<(index + mark.count)].elementsEqual(mark) {
        return (Array(path[..<index]), Array(path[(index + mark.count)...]))
      }
      index += 1
    }
    return ([], path)
  }
}
