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
      let isControl = scalar.value < 0x20 || scalar.value == 0x7F
      return isControl ? "\\x" + EscapedText.digits(scalar, count: 2) : nil
    }
    return "\"\(content)\""
  }

  /// A text on one line, for titles: runs of blanks and line ends become one blank.
  static func oneLine(_ text: String) -> String {
    text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
  }
}
