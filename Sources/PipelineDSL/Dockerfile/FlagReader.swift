/// Reads the flags at the front of an instruction (L7).
struct FlagReader {
  /// One `--name` or `--name=value`, quotes and escapes removed.
  struct Flag {
    var name: String
    var value: String?
    /// Where the word stands in the instruction's text.
    var range: Range<Int>
  }

  private(set) var flags: [Flag] = []
  /// What follows the flags, without white space at its ends.
  private(set) var rest: Range<Int>

  /// Reads the flags in a range; the escape character is a backslash whatever the directive says.
  init(_ bytes: [UInt8], in range: Range<Int>) {
    var index = range.lowerBound
    let end = range.upperBound
    rest = end..<end
    while true {
      index = Blanks.trimmedStart(index..<end, in: bytes).lowerBound
      let isFlag = index + 1 < end && bytes[index] == 0x2D && bytes[index + 1] == 0x2D
      guard isFlag else { break }
      let start = index
      let word = Self.word(bytes, &index, end)
      if word == [0x2D, 0x2D] { break }
      flags.append(Self.flag(word, start..<index))
    }
    rest = Blanks.trimmed(index..<end, in: bytes)
  }

  private static func word(_ bytes: [UInt8], _ index: inout Int, _ end: Int) -> [UInt8] {
    var word: [UInt8] = []
    var quote: UInt8?
    while index < end {
      let byte = bytes[index]
      if quote == nil, Blanks.length(at: index, in: bytes, before: end) > 0 { break }
      index += 1
      if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: "\\") {
        guard index < end else { break }
        word.append(bytes[index])
        index += 1
      } else {
        word.append(byte)
      }
    }
    return word
  }

  private static func flag(_ word: [UInt8], _ range: Range<Int>) -> Flag {
    let text = word.dropFirst(2)
    guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else {
      return Flag(name: String(decoding: text, as: UTF8.self), value: nil, range: range)
    }
    return Flag(
      name: String(decoding: text[..<equals], as: UTF8.self),
      value: String(decoding: text[(equals + 1)...], as: UTF8.self), range: range)
  }
}
