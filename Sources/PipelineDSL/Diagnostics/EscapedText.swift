/// Text with the escapes that string literals of most languages share.
package enum EscapedText {
  /// The inside of a literal in double quotes.
  ///
  /// Quotes, backslashes, line ends and tabs have the usual two characters; `spell` says how any
  /// other character is written, nil where it stands for itself.
  package static func content(
    _ value: String, spell: (Unicode.Scalar) -> String?
  ) -> String {
    var spelled = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": spelled += "\\\""
      case "\\": spelled += "\\\\"
      case "\n": spelled += "\\n"
      case "\r": spelled += "\\r"
      case "\t": spelled += "\\t"
      default:
        if let text = spell(scalar) {
          spelled += text
        } else {
          spelled.unicodeScalars.append(scalar)
        }
      }
    }
    return spelled
  }

  /// A number in hexadecimal digits, at least so many of them.
  package static func digits(_ scalar: Unicode.Scalar, count: Int) -> String {
    let digits = String(scalar.value, radix: 16)
    return String(repeating: "0", count: max(0, count - digits.count)) + digits
  }
}
