/// Splits the rest of an instruction into words (L10).
struct WordSplitter {
  let bytes: [UInt8]

  /// Words that blanks separate; quotes mean nothing.
  func fields(in range: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    for index in range {
      if Blanks.separates(bytes[index]) {
        if let first = start { words.append(first..<index) }
        start = nil
      } else if start == nil {
        start = index
      }
    }
    if let first = start { words.append(first..<range.upperBound) }
    return words
  }

  /// Words in which quotes and the escape character keep blanks; both stay in the word.
  func quotedWords(in range: Range<Int>, escape: UInt8) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    var quote: UInt8?
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      let blank =
        quote == nil ? Blanks.length(at: index, in: bytes, before: range.upperBound) : 0
      if blank > 0 {
        if let first = start { words.append(first..<index) }
        start = nil
        index += blank
        continue
      }
      if start == nil { start = index }
      if byte == escape, quote != UInt8(ascii: "'") {
        if index + 1 == range.upperBound {
          // An escape character that has nothing to protect is dropped.
          if let first = start, first < index { words.append(first..<index) }
          return words
        }
        index += Self.width(of: bytes[index + 1]) + 1
        continue
      }
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      }
      index += 1
    }
    if let first = start { words.append(first..<range.upperBound) }
    return words
  }

  /// The bytes of the UTF-8 sequence that starts with a byte.
  private static func width(of byte: UInt8) -> Int {
    switch byte {
    case 0xF0...: 4
    case 0xE0...: 3
    case 0xC0...: 2
    default: 1
    }
  }
}
