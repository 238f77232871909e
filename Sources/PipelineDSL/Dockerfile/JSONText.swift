/// The little JSON that a Dockerfile holds: arrays of strings.
enum JSONText {
  /// A string with its quotes.
  static func string(_ value: String) -> String {
    var spelled = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": spelled += "\\\""
      case "\\": spelled += "\\\\"
      case "\n": spelled += "\\n"
      case "\r": spelled += "\\r"
      case "\t": spelled += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        spelled += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: spelled.unicodeScalars.append(scalar)
      }
    }
    return spelled + "\""
  }

  /// Whether a text is a JSON array, so that a Dockerfile would not take it for shell text (L9).
  static func isArray(_ text: String) -> Bool {
    var scanner = Scanner(bytes: Array(text.utf8)[...])
    guard scanner.bytes.first == UInt8(ascii: "[") else { return false }
    return scanner.skipValue(depth: 0) && scanner.isAtEnd
  }

  private struct Scanner {
    var bytes: ArraySlice<UInt8>

    var isAtEnd: Bool {
      mutating get {
        skipBlanks()
        return bytes.isEmpty
      }
    }

    mutating func skipBlanks() {
      bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      skipBlanks()
      guard bytes.first == byte else { return false }
      bytes.removeFirst()
      return true
    }

    /// Go's reader gives up at 10,000 levels; what no one writes need not be told apart.
    mutating func skipValue(depth: Int) -> Bool {
      skipBlanks()
      guard depth < 200, let first = bytes.first else { return false }
      switch first {
      case UInt8(ascii: "["): return skipList(depth, end: "]", hasKeys: false)
      case UInt8(ascii: "{"): return skipList(depth, end: "}", hasKeys: true)
      case UInt8(ascii: "\""): return skipString()
      default:
        let word = bytes.prefix { !",]} \t".utf8.contains($0) }
        bytes = bytes.dropFirst(word.count)
        let text = String(decoding: word, as: UTF8.self)
        return text == "true" || text == "false" || text == "null" || isNumber(text)
      }
    }

    mutating func skipList(_ depth: Int, end: Unicode.Scalar, hasKeys: Bool) -> Bool {
      bytes.removeFirst()
      let end = UInt8(ascii: end)
      if take(end) { return true }
      repeat {
        if hasKeys {
          skipBlanks()
          guard bytes.first == UInt8(ascii: "\""), skipString(), take(UInt8(ascii: ":")) else {
            return false
          }
        }
        guard skipValue(depth: depth + 1) else { return false }
      } while take(UInt8(ascii: ","))
      return take(end)
    }

    mutating func skipString() -> Bool {
      bytes.removeFirst()
      while let byte = bytes.popFirst() {
        if byte == UInt8(ascii: "\"") { return true }
        if byte < 0x20 { return false }
        guard byte == UInt8(ascii: "\\") else { continue }
        guard let escaped = bytes.popFirst() else { return false }
        if escaped == UInt8(ascii: "u") {
          let digits = bytes.prefix(4)
          guard digits.count == 4, digits.allSatisfy(isHexadecimal) else { return false }
          bytes = bytes.dropFirst(4)
        } else if !"\"\\/bfnrt".utf8.contains(escaped) {
          return false
        }
      }
      return false
    }

    private func isHexadecimal(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private func isNumber(_ text: String) -> Bool {
      let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
      guard let first = digits.utf8.first, (48...57).contains(first) else { return false }
      if first == 48, let second = digits.utf8.dropFirst().first, (48...57).contains(second) {
        return false
      }
      return Double(text) != nil && text.utf8.last.map { (48...57).contains($0) } ?? false
    }
  }
}
