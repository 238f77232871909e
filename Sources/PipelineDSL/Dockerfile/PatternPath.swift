/// What Go's `strings.TrimSpace` and `filepath.Clean` do to an ignore pattern, on bytes.
enum PatternPath {
  /// The text without blanks at both ends.
  static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text
    while let first = text.first, isBlank(first) { text.removeFirst() }
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  /// The path without empty components, `.`, and `..` after a name.
  static func clean(_ path: ArraySlice<UInt8>) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    let dots = Array("..".utf8)[...]
    let isAbsolute = path.first == slash
    var components: [ArraySlice<UInt8>] = []
    for component in path.split(separator: slash) where component != [UInt8(ascii: ".")] {
      if component != dots {
        components.append(component)
      } else if let last = components.last, last != dots {
        components.removeLast()
      } else if !isAbsolute {
        components.append(component)
      }
    }
    let joined = Array(components.joined(separator: [slash]))
    if isAbsolute { return [slash] + joined }
    return joined.isEmpty ? [UInt8(ascii: ".")] : joined
  }
}
