/// A size as `docker` and BuildKit read it: a number and perhaps a unit, powers of 1024.
package struct ByteCount {
  package let bytes: Int64

  /// Reads `67108864`, `64m`, `64MB`, `0.5 GiB`; nil for anything else.
  package init?(_ text: String) {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    var unit = text.dropFirst(digits.count)
    if unit.first == " " { unit = unit.dropFirst() }
    guard digits.contains(where: { $0 != "." }), let number = Double(digits),
      let factor = Self.factor(unit.lowercased())
    else { return nil }
    let size = number * factor
    guard size < 0x1p63 else { return nil }
    bytes = Int64(size)
  }

  private static func factor(_ unit: String) -> Double? {
    if unit.isEmpty || unit == "b" { return 1 }
    guard let letter = unit.first, let power = "kmgtp".firstIndex(of: letter),
      ["", "b", "ib"].contains(unit.dropFirst())
    else { return nil }
    var factor = 1.0
    for _ in 0...("kmgtp".distance(from: "kmgtp".startIndex, to: power)) { factor *= 1024 }
    return factor
  }
}
