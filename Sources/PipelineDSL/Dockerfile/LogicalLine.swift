/// One instruction with its continuation lines joined, and where each part of it came from.
struct LogicalLine {
  /// A run of the text that stands on one physical line.
  private struct Piece {
    var offset: Int
    var line: Int
    var column: Int
  }

  private(set) var text: [UInt8] = []
  private var pieces: [Piece] = []
  /// The comment lines between the physical lines, each with the offset of what follows it.
  private var comments: [(offset: Int, text: String)] = []
  /// The first empty line among the continuation lines (L4).
  var emptyLine: Int?

  /// Appends a part of a physical line.
  mutating func append(_ part: Range<Int>, of line: LineReader.Line, in bytes: [UInt8]) {
    pieces.append(
      Piece(
        offset: text.count, line: line.number, column: part.lowerBound - line.start + 1))
    text += bytes[part]
  }

  /// Notes a comment line that stands where the text ends so far.
  mutating func append(comment: String) {
    comments.append((text.count, comment))
  }

  /// The comment lines, placed by what follows them.
  var innerComments: [InnerComment] {
    guard !comments.isEmpty else { return [] }
    var result: [InnerComment] = []
    var end = text.count
    var following = 0
    for comment in comments.reversed() {
      following += text[comment.offset..<end].count { !Blanks.separates($0) }
      end = comment.offset
      result.append(InnerComment(comment.text, followingBytes: following))
    }
    return result.reversed()
  }

  /// The position of the byte at an offset, counted from 1.
  func position(of offset: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = pieces.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if pieces[middle].offset <= offset { low = middle } else { high = middle }
    }
    guard let piece = pieces.isEmpty ? nil : pieces[low] else { return (1, 1) }
    return (piece.line, piece.column + offset - piece.offset)
  }

  /// The position after the last byte before an offset.
  func endPosition(of offset: Int) -> (line: Int, column: Int) {
    guard offset > 0 else { return position(of: 0) }
    let last = position(of: offset - 1)
    return (last.line, last.column + 1)
  }
}
