/// Amounts of data for people.
enum SizeText {
  /// A size for people, in powers of ten: `96.3 MB`.
  static func text(_ count: Int64) -> String {
    var value = Double(count)
    for unit in ["B", "kB", "MB"] {
      if value < 999.95 || unit == "MB" {
        if unit == "B" { return "\(count) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
      }
      value /= 1000
    }
    return "\(count) B"
  }

  /// A size on the right of a column of eight.
  static func column(_ count: Int64) -> String {
    let text = text(count)
    return String(repeating: " ", count: max(0, 8 - text.count)) + text
  }

  /// A title that fits on a line.
  static func shortened(_ text: String, to width: Int = 88) -> String {
    text.count <= width ? text : "\(text.prefix(width - 3))..."
  }
}
