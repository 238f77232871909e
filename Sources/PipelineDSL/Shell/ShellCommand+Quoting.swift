extension ShellCommand {
  /// A value as one word of a POSIX shell.
  static func quoted(_ value: String) -> String {
    if !value.isEmpty, value.utf8.allSatisfy(isPlain), !reservedWords.contains(value) {
      return value
    }
    return "'" + insideSingleQuotes(value) + "'"
  }

  /// A value as text between single quotes that are open already.
  static func insideSingleQuotes(_ value: String) -> String {
    var spelled = ""
    for scalar in value.unicodeScalars {
      if scalar == "'" {
        // Nothing escapes inside single quotes, so they are closed around it.
        spelled += "'\\''"
      } else {
        spelled.unicodeScalars.append(scalar)
      }
    }
    return spelled
  }

  /// A value as text between double quotes that are open already.
  static func insideDoubleQuotes(_ value: String) -> String {
    var spelled = ""
    for scalar in value.unicodeScalars {
      if "\"$`\\".unicodeScalars.contains(scalar) { spelled.unicodeScalars.append("\\") }
      spelled.unicodeScalars.append(scalar)
    }
    return spelled
  }

  /// Words that a shell reads as its grammar where a command starts, unless they are quoted.
  private static let reservedWords: Set<String> = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "time", "until", "while",
  ]

  /// Bytes that no shell gives a meaning, wherever in a word they stand.
  ///
  /// `=` and `~` are not among them: a first word with `=` is an assignment, and `~` a home.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"),
      UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: ":"), UInt8(ascii: ","),
      UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
