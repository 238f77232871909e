/// The little JSON that a Dockerfile holds: arrays of strings.
enum JSONText {
  /// A string with its quotes.
  static func string(_ value: String) -> String {
    let content = EscapedText.content(value) { scalar in
      scalar.value < 0x20 ? "\\u" + EscapedText.digits(scalar, count: 4) : nil
    }
    return "\"\(content)\""
  }
}
