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
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          let digits = String(scalar.value, radix: 16)
          result += "\\x" + (digits.count == 1 ? "0" : "") + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  /// A text on one line, for titles: runs of blanks and line ends become one blank.
  static func oneLine(_ text: String) -> String {
    text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
  }
}
