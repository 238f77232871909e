/// Reads durations as flags have them, such as `1m30s`.
enum DurationText {
  /// The duration, nil where it is not a whole number of milliseconds in h, m, s and ms.
  static func milliseconds(_ text: String) -> Int? {
    var rest = text.utf8[...]
    var sum = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { (48...57).contains($0) }
      guard let count = Int(String(digits) ?? "") else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { (97...122).contains($0) }
      rest = rest.dropFirst(unit.count)
      guard let factor = ["h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1][String(unit) ?? ""]
      else { return nil }
      let (product, hasOverflow) = count.multipliedReportingOverflow(by: factor)
      let (total, isTooLong) = sum.addingReportingOverflow(product)
      guard !hasOverflow, !isTooLong else { return nil }
      sum = total
    }
    return sum
  }
}
