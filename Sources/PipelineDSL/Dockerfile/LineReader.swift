/// Hands out the physical lines of a file.
struct LineReader {
  /// BuildKit's reader gives up on longer ones (L5).
  static let longestLine = 65535

  struct Line {
    /// Counted from 1.
    var number: Int
    /// The offset in the file where the line's first column is.
    var start: Int
    /// The line with its line feed, where it has one.
    var whole: Range<Int>
    /// The line without carriage returns and line feed at its end.
    var content: Range<Int>

    /// Whether BuildKit would refuse the line for its length.
    func isTooLong(in bytes: [UInt8]) -> Bool {
      let hasFeed = !whole.isEmpty && bytes[whole.upperBound - 1] == 0x0A
      return whole.count - (hasFeed ? 1 : 0) > LineReader.longestLine
    }
  }

  let bytes: [UInt8]
  private var position = 0
  private(set) var number = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    // A byte order mark is no part of the first line (L2).
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  mutating func next() -> Line? {
    guard position < bytes.count else { return nil }
    let start = position
    var end = start
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    var contentEnd = end
    while contentEnd > start, bytes[contentEnd - 1] == 0x0D { contentEnd -= 1 }
    position = min(end + 1, bytes.count)
    number += 1
    return Line(
      number: number, start: start, whole: start..<position, content: start..<contentEnd)
  }
}
