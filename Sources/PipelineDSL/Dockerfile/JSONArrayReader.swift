/// Reads the JSON form of an instruction: an array of strings (L9).
struct JSONArrayReader {
  enum Result: Equatable {
    /// No JSON array: the instruction is in its other form.
    case other
    case strings([String])
    /// An array, but with something other than a string in it.
    case mixed
  }

  /// Reads a whole text, without recursion: what a file nests must not use up the stack.
  static func read(_ bytes: ArraySlice<UInt8>) -> Result {
    var reader = JSONArrayReader(bytes: bytes)
    return reader.readArray()
  }

  private var bytes: ArraySlice<UInt8>
  private var strings: [String] = []
  private var isMixed = false

  private init(bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
  }

  private enum Container {
    case array
    case object
  }

  private mutating func readArray() -> Result {
    skipBlanks()
    guard take(UInt8(ascii: "[")) else { return .other }
    var containers: [Container] = [.array]
    skipBlanks()
    var expectsValue = !take(UInt8(ascii: "]"))
    if !expectsValue { containers.removeLast() }
    while let container = containers.last {
      if expectsValue {
        guard let opened = readValue(depth: containers.count) else { return .other }
        if let opened { containers.append(opened) }
        // An array or object that has just been opened expects a value unless it is empty.
        expectsValue = opened != nil
        skipBlanks()
        if let opened, take(opened == .array ? UInt8(ascii: "]") : UInt8(ascii: "}")) {
          containers.removeLast()
          expectsValue = false
        } else if opened == .object, !readKey() {
          return .other
        }
        // Go's reader gives up there, and BuildKit then takes the text for shell text.
        if containers.count > 10_000 { return .other }
        continue
      }
      skipBlanks()
      if take(UInt8(ascii: ",")) {
        if container == .object, !readKey() { return .other }
        expectsValue = true
      } else if take(container == .array ? UInt8(ascii: "]") : UInt8(ascii: "}")) {
        containers.removeLast()
      } else {
        return .other
      }
    }
    skipBlanks()
    guard bytes.isEmpty else { return .other }
    return isMixed ? .mixed : .strings(strings)
  }

  /// Reads a scalar, or the opening of a container, which it returns; nil in nil is a scalar.
  private mutating func readValue(depth: Int) -> Container?? {
    skipBlanks()
    guard let first = bytes.first else { return nil }
    switch first {
    case UInt8(ascii: "\""):
      guard let string = readString() else { return nil }
      if depth == 1 { strings.append(string) }
      return .some(nil)
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      bytes = bytes.dropFirst()
      isMixed = true
      return .some(first == UInt8(ascii: "[") ? .array : .object)
    default:
      isMixed = true
      return readBareWord() ? .some(nil) : nil
    }
  }

  private mutating func readKey() -> Bool {
    skipBlanks()
    guard bytes.first == UInt8(ascii: "\""), readString() != nil else { return false }
    skipBlanks()
    return take(UInt8(ascii: ":"))
  }

  private mutating func readBareWord() -> Bool {
    let word = bytes.prefix {
      (97...122).contains($0) || (48...57).contains($0) || "+-.E".utf8.contains($0)
    }
    bytes = bytes.dropFirst(word.count)
    let text = String(decoding: word, as: UTF8.self)
    return text == "true" || text == "false" || text == "null" || Self.isNumber(text)
  }

  private static func isNumber(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func digits(_ rest: inout Substring.UTF8View) -> Int {
      let count = rest.prefix { (48...57).contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let startsWithZero = rest.first == 48
    let whole = digits(&rest)
    guard whole > 0, !startsWithZero || whole == 1 else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      guard digits(&rest) > 0 else { return false }
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
        rest = rest.dropFirst()
      }
      guard digits(&rest) > 0 else { return false }
    }
    // A number that no Double can hold is an error to Go's reader.
    return rest.isEmpty && Double(text)?.isFinite == true
  }

  private mutating func readString() -> String? {
    bytes = bytes.dropFirst()
    var content: [UInt8] = []
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case ..<0x20: return nil
      case UInt8(ascii: "\\"):
        guard let escaped = readEscape() else { return nil }
        content += escaped
      default: content.append(byte)
      }
    }
    return nil
  }

  private mutating func readEscape() -> [UInt8]? {
    guard let byte = bytes.popFirst() else { return nil }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      guard let unit = readHexadecimal() else { return nil }
      return Array(String(readScalar(unit)).utf8)
    default: return nil
    }
  }

  /// The character of a UTF-16 unit and, where it takes one, of the escape after it.
  ///
  /// Halves of pairs that stand alone become U+FFFD, as Go has it.
  private mutating func readScalar(_ unit: UInt32) -> Unicode.Scalar {
    let replacement: Unicode.Scalar = "\u{FFFD}"
    guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) ?? replacement }
    let rest = bytes
    if take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = readHexadecimal(),
      (0xDC00..<0xE000).contains(low)
    {
      return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? replacement
    }
    bytes = rest
    return replacement
  }

  private mutating func readHexadecimal() -> UInt32? {
    let digits = bytes.prefix(4)
    guard digits.count == 4 else { return nil }
    var value: UInt32 = 0
    for digit in digits {
      switch digit {
      case 48...57: value = value << 4 | UInt32(digit - 48)
      case 65...70: value = value << 4 | UInt32(digit - 55)
      case 97...102: value = value << 4 | UInt32(digit - 87)
      default: return nil
      }
    }
    bytes = bytes.dropFirst(4)
    return value
  }

  private mutating func skipBlanks() {
    while let byte = bytes.first, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      bytes = bytes.dropFirst()
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard bytes.first == byte else { return false }
    bytes = bytes.dropFirst()
    return true
  }
}
