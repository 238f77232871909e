/// Spells values as Swift source.
enum SwiftLiteral {
  /// Where a line of source should end.
  static let width = 100

  /// A string as one literal on one line.
  static func string(_ value: String) -> String {
    guard value.unicodeScalars.allSatisfy(isPrintable) else { return escaped(value) }
    let isPlain = !value.unicodeScalars.contains { $0 == "\"" || $0 == "\\" }
    let mark = isPlain ? "" : pounds(for: value)
    // One '#' costs more than the escapes of a few quotes.
    if !isPlain, !value.unicodeScalars.contains("\\"), mark == "#" {
      let short = escaped(value)
      if short.utf8.count <= value.utf8.count + 4 { return short }
    }
    return "\(mark)\"\(value)\"\(mark)"
  }

  /// A string as a literal of one line, or of several where it has line feeds or is too long.
  static func text(_ value: String) -> String {
    let needsLines =
      value.unicodeScalars.contains("\n") || value.utf8.count > width - 24
    let isReadable = value.unicodeScalars.allSatisfy { isPrintable($0) || $0 == "\n" || $0 == "\t" }
    guard needsLines, isReadable, !value.contains("\"\"\"") else { return string(value) }
    let mark = value.unicodeScalars.contains("\\") ? pounds(for: value) : ""
    let lines = value.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var result = mark + "\"\"\"\n"
    for line in lines {
      // A backslash at the end of a line joins it with the next one, as in a Dockerfile.
      let parts = lines.count == 1 ? joinable(line) : [line]
      guard parts.allSatisfy({ $0.last != "\\" || parts.count == 1 }) else {
        return string(value)
      }
      result += parts.joined(separator: "\\\(mark)\n") + "\n"
    }
    return result + "\"\"\"" + mark
  }

  /// Lines whose last line feed is added where they are used.
  static func lines(_ value: String) -> String {
    let hasOneFeed = value.hasSuffix("\n") && !value.hasSuffix("\n\n") && value.utf8.count > 1
    return text(hasOneFeed ? String(value.dropLast()) : value)
  }

  /// The parts of a long line, to be joined again; blanks stay where they are.
  private static func joinable(_ line: String) -> [String] {
    var parts: [String] = []
    var current = ""
    var blanks = ""
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      if !current.isEmpty, current.utf8.count + blanks.utf8.count + word.utf8.count > 84 {
        parts.append(current + blanks)
        current = String(word)
      } else {
        current += blanks + word
      }
      blanks = " "
    }
    return parts + [current]
  }

  private static func escaped(_ value: String) -> String { "\"\(escapedContent(value))\"" }

  /// The inside of a literal without number signs.
  static func escapedContent(_ value: String) -> String {
    EscapedText.content(value) { scalar in
      isPrintable(scalar) ? nil : "\\u{\(EscapedText.digits(scalar, count: 1))}"
    }
  }

  /// So many number signs that neither quote nor backslash means anything in the literal.
  private static func pounds(for value: String) -> String {
    var longest = 0
    var run: Int?
    for scalar in value.unicodeScalars {
      if scalar == "\"" || scalar == "\\" {
        run = 0
      } else if scalar == "#", let count = run {
        run = count + 1
      } else {
        run = nil
      }
      longest = max(longest, run ?? 0)
    }
    return String(repeating: "#", count: longest + 1)
  }

  /// Whether a character can stand in source as itself.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      false
    case .spaceSeparator: scalar == " "
    // A combining mark would become one character with the quote before it.
    case .nonspacingMark, .enclosingMark, .spacingMark: false
    default: true
    }
  }
}
