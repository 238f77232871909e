/// The lines of source that a location covers, with carets under the range.
struct SourceExcerpt {
  /// How many cells of a line are shown; longer lines are cut around the caret.
  private static let widest = 88
  /// How many lines of a longer range are shown.
  private static let mostLines = 4

  let location: SourceLocation
  let label: String?
  private let lines: [ArraySlice<UInt8>]

  /// Nil where the location is not in the text.
  init?(_ source: [UInt8], at location: SourceLocation, label: String?) {
    guard location.line > 0, location.column > 0 else { return nil }
    let last = max(location.line, location.endLine)
    var found: [ArraySlice<UInt8>] = []
    var number = 1
    var rest = source[...]
    while number <= last, found.count <= Self.mostLines {
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      if number >= location.line { found.append(line) }
      guard line.endIndex < source.endIndex else { break }
      rest = source[(line.endIndex + 1)...]
      number += 1
    }
    guard let first = found.first, !(first.isEmpty && first.startIndex == source.endIndex) else {
      return nil
    }
    self.location = location
    self.label = label
    lines = found.map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
  }

  /// The excerpt's lines, each ended by a line feed.
  var text: String {
    let shown = lines.prefix(Self.mostLines)
    let gutter = "\(location.line + shown.count - 1)".count
    var text = ""
    for (offset, bytes) in shown.enumerated() {
      let number = "\(location.line + offset)"
      let line = DisplayText(bytes)
      let carets = offset == 0 ? caretColumns(line, bytes) : 0..<1
      let window = Self.window(line, around: carets)
      let content = Self.cut(line, window)
      text += Self.padded(number, gutter) + (content.isEmpty ? " |" : " | ") + content + "\n"
      guard offset == 0 else { continue }
      let isCut = window.lowerBound > 0
      let indent = carets.lowerBound - window.lowerBound + (isCut ? 1 : 0)
      let count = max(1, min(carets.upperBound, window.upperBound) - carets.lowerBound)
      text += String(repeating: " ", count: gutter) + " | "
      text += String(repeating: " ", count: indent) + String(repeating: "^", count: count)
      text += (label.map { " " + DisplayText.message($0) } ?? "") + "\n"
    }
    if lines.count > shown.count { text += String(repeating: " ", count: gutter) + " | …\n" }
    return text
  }

  /// The cells of the first line that the range covers; at least one.
  private func caretColumns(_ line: DisplayText, _ bytes: ArraySlice<UInt8>) -> Range<Int> {
    let first = line.column(ofByte: min(location.column - 1, bytes.count))
    var end = location.endColumn - 1
    if location.endLine > location.line {
      // A range over several lines covers the first one to its last visible character.
      let blanks = bytes.reversed().prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      end = bytes.count - blanks.count
    }
    return first..<max(first + 1, line.column(ofByte: min(end, bytes.count)))
  }

  /// The cells of a line to show.
  private static func window(_ line: DisplayText, around carets: Range<Int>) -> Range<Int> {
    guard line.width > widest else { return 0..<line.width }
    let span = min(carets.count, widest * 3 / 4)
    let before = max(0, carets.lowerBound - (widest - span) / 2)
    let first = max(0, min(before, line.width - widest))
    return first..<first + widest
  }

  private static func cut(_ line: DisplayText, _ window: Range<Int>) -> String {
    (window.lowerBound > 0 ? "…" : "")
      + line.text(from: window.lowerBound, to: max(window.upperBound, 1))
      + (window.upperBound < line.width ? "…" : "")
  }

  private static func padded(_ number: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - number.count)) + number
  }
}
