/// Reads durations as Go's `time.ParseDuration` does: `1m30s`, `500ms`, `1.5h`.
enum GoDuration {
  /// Nanoseconds; nil where the text is no duration or does not fit.
  static func nanoseconds(_ text: String) -> Int64? {
    var rest = Array(text.utf8)[...]
    var isNegative = false
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest.removeFirst()
    }
    if rest.elementsEqual("0".utf8) { return 0 }
    guard !rest.isEmpty else { return nil }
    var total = 0.0
    while !rest.isEmpty {
      let digits = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
      guard let number = Double(String(decoding: digits, as: UTF8.self)),
        digits.contains(where: isDigit)
      else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
      guard let scale = units[String(decoding: unit, as: UTF8.self)] else { return nil }
      rest = rest.dropFirst(unit.count)
      total += number * scale
    }
    guard total <= 9.2e18 else { return nil }
    return Int64(isNegative ? -total : total)
  }

  /// Prints nanoseconds as Go does, for history entries: `1m30s`, `0s`.
  static func text(_ nanoseconds: Int64) -> String {
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    if value < 1_000 { return "\(sign)\(value)ns" }
    if value < 1_000_000 { return sign + fraction(value, 1_000) + "µs" }
    if value < 1_000_000_000 { return sign + fraction(value, 1_000_000) + "ms" }
    let minutes = value / 60_000_000_000
    let seconds = fraction(value % 60_000_000_000, 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
    return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func fraction(_ value: UInt64, _ unit: UInt64) -> String {
    var text = "\(value / unit)"
    var remainder = value % unit
    guard remainder > 0 else { return text }
    text += "."
    var scale = unit / 10
    while remainder > 0 {
      text += "\(remainder / scale)"
      remainder %= scale
      scale /= 10
    }
    return text
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static let units: [String: Double] = [
    "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 6e10, "h": 3.6e12,
  ]
}
