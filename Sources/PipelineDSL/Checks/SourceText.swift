/// The text of a Dockerfile, to find places in it and to change it.
package struct SourceText: Sendable {
  package let bytes: [UInt8]
  private let lineStarts: [Int]

  /// Takes a file's bytes.
  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var starts = [0]
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      starts.append(index + 1)
    }
    lineStarts = starts
  }

  /// The bytes a location covers; nil where it is not in this text.
  package func range(of location: SourceLocation) -> Range<Int>? {
    guard let start = offset(location.line, location.column),
      let end = offset(location.endLine, location.endColumn), start <= end
    else { return nil }
    return start..<end
  }

  private func offset(_ line: Int, _ column: Int) -> Int? {
    guard lineStarts.indices.contains(line - 1), column > 0 else { return nil }
    return min(lineStarts[line - 1] + column - 1, bytes.count)
  }

  /// The location of a range of bytes, in the file that another location is in.
  package func location(of range: Range<Int>, in file: SourceLocation) -> SourceLocation {
    let start = position(of: range.lowerBound)
    let end = position(of: range.upperBound)
    return SourceLocation(
      file: file.file, path: file.path, line: start.line, column: start.column, endLine: end.line,
      endColumn: end.column)
  }

  private func position(of offset: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return (low + 1, offset - lineStarts[low] + 1)
  }

  /// The text of a range.
  package func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }

  /// The words of a range, split at blanks and line ends.
  package func words(in range: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    for index in range {
      let isBlank = bytes[index] == 0x20 || (0x09...0x0D).contains(bytes[index])
      if isBlank, let first = start {
        words.append(first..<index)
        start = nil
      } else if !isBlank, start == nil {
        start = index
      }
    }
    if let start { words.append(start..<range.upperBound) }
    return words
  }

  /// The first place of a text in a range where no letter, digit or `_` follows it.
  package func find(_ text: String, in range: Range<Int>) -> Range<Int>? {
    let wanted = Array(text.utf8)
    guard let first = wanted.first, range.count >= wanted.count else { return nil }
    for start in range.lowerBound...(range.upperBound - wanted.count)
    where bytes[start] == first && bytes[start..<start + wanted.count].elementsEqual(wanted) {
      let end = start + wanted.count
      guard end < range.upperBound, Self.continuesName(bytes[end]), let last = wanted.last,
        Self.continuesName(last)
      else { return start..<end }
    }
    return nil
  }

  private static func continuesName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (48...57).contains(byte) || (65...90).contains(byte)
      || (97...122).contains(byte)
  }

  /// The text with edits made; of two that overlap, the first in the text counts.
  package func applying(_ edits: [SourceEdit]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
    where edit.range.lowerBound >= position && edit.range.upperBound <= bytes.count {
      result += bytes[position..<edit.range.lowerBound]
      result += edit.replacement.utf8
      position = edit.range.upperBound
    }
    return result + bytes[position...]
  }
}

/// A change to a file: bytes to replace, and what to put there.
package struct SourceEdit: Hashable, Sendable {
  package var range: Range<Int>
  package var replacement: String

  /// Replaces a range of bytes.
  package init(_ range: Range<Int>, with replacement: String) {
    self.range = range
    self.replacement = replacement
  }
}
