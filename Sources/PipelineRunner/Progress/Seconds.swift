/// Durations for people.
enum Seconds {
  /// `0.42 s`, `12.3 s`, `2 min 5 s`.
  static func text(_ seconds: Double) -> String {
    if seconds >= 120 { return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s" }
    let places = seconds < 10 ? 2 : 1
    let scale = places == 2 ? 100 : 10
    let scaled = Int((seconds * Double(scale)).rounded())
    let rest = "\(scaled % scale)"
    return "\(scaled / scale).\(String(repeating: "0", count: places - rest.count))\(rest) s"
  }
}
