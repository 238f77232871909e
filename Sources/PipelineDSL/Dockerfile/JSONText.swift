/// The little JSON that a Dockerfile holds: arrays of strings.
enum JSONText {
  /// A string with its quotes.
  static func string(_ value: String) -> String {
    var spelled = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": spelled += "\\\""
      case "\\": spelled += "\\\\"
      case "\n": spelled += "\\n"
      case "\r": spelled += "\\r"
      case "\t": spelled += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        spelled += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: spelled.unicodeScalars.append(scalar)
      }
    }
    return spelled + "\""
  }
}
