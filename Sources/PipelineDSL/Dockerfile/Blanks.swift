/// What counts as a blank in a Dockerfile: BuildKit has two notions of it.
enum Blanks {
  /// The bytes that separate operands: blank, tab, vertical tab, form feed, carriage return.
  static func separates(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || (0x0B...0x0D).contains(byte)
  }

  /// How many bytes the white space at an index takes, 0 where there is none.
  ///
  /// Here Unicode's white space counts as well: BuildKit trims it from the ends of lines.
  static func length(at index: Int, in bytes: [UInt8], before end: Int) -> Int {
    let byte = bytes[index]
    if byte == 0x20 || (0x09...0x0D).contains(byte) { return 1 }
    guard byte >= 0xC2, index + 1 < end else { return 0 }
    let second = bytes[index + 1]
    if byte == 0xC2 { return second == 0x85 || second == 0xA0 ? 2 : 0 }
    guard byte >= 0xE1, byte <= 0xE3, index + 2 < end else { return 0 }
    let isBlank =
      switch (byte, second, bytes[index + 2]) {
      case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9),
        (0xE2, 0x80, 0xAF), (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80):
        true
      default: false
      }
    return isBlank ? 3 : 0
  }

  /// The range without white space at its start.
  static func trimmedStart(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
    var start = range.lowerBound
    while start < range.upperBound {
      let length = length(at: start, in: bytes, before: range.upperBound)
      if length == 0 { break }
      start += length
    }
    return start..<range.upperBound
  }

  /// The range without white space at its ends.
  static func trimmed(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
    let start = trimmedStart(range, in: bytes).lowerBound
    var end = range.upperBound
    scan: while end > start {
      for width in 1...min(3, end - start)
      where length(at: end - width, in: bytes, before: end) == width {
        end -= width
        continue scan
      }
      break
    }
    return start..<end
  }
}
