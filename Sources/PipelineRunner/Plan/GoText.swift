import PipelineDSL

/// Texts of image histories in the forms that Go's formatting gives them in BuildKit.
enum GoText {
  /// `[a b c]`, the form of `%v`.
  static func list(_ words: [String]) -> String {
    "[\(words.joined(separator: " "))]"
  }

  /// `["a" "b"]`, the form of `%q`.
  static func quotedList(_ words: [String]) -> String {
    list(words.map(quoted))
  }

  /// `["a","b"]`.
  static func json(_ words: [String]) -> String {
    "[\(words.map(quoted).joined(separator: ","))]"
  }

  /// A text in double quotes with Go's escapes.
  static func quoted(_ text: String) -> String {
    let content = EscapedText.content(text) { scalar in
      switch scalar {
      case "\u{7}": return "\\a"
      case "\u{8}": return "\\b"
      case "\u{B}": return "\\v"
      case "\u{C}": return "\\f"
      default: break
      }
      if scalar.value < 0x20 || scalar.value == 0x7F {
        return "\\x" + EscapedText.digits(scalar, count: 2)
      }
      if isPrintable(scalar) { return nil }
      return scalar.value > 0xFFFF
        ? "\\U" + EscapedText.digits(scalar, count: 8)
        : "\\u" + EscapedText.digits(scalar, count: 4)
    }
    return "\"\(content)\""
  }

  /// Whether Go shows it as it is: letters, marks, numbers, punctuation, symbols and the blank.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  /// A text on one line, for titles: runs of blanks and line ends become one blank.
  static func oneLine(_ text: String) -> String {
    text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
  }
}
