extension ShellCommand {
  /// A value as one word of a POSIX shell.
  static func quoted(_ value: String) -> String {
    if !value.isEmpty, value.utf8.allSatisfy(isPlain) { return value }
    var word = "'"
    for scalar in value.unicodeScalars {
      if scalar == "'" {
        // Nothing escapes inside single quotes, so they are closed around it.
        word += "'\\''"
      } else {
        word.unicodeScalars.append(scalar)
      }
    }
    return word + "'"
  }

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
