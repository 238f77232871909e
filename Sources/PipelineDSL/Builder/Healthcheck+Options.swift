extension HealthcheckInstruction.Options {
  /// Spells options in Go's syntax; what cannot be spelled is the problem (M4).
  static func spelled(
    interval: Duration?, timeout: Duration?, startPeriod: Duration?, startInterval: Duration?,
    retries: Int?
  ) -> (options: HealthcheckInstruction.Options, problem: Diagnostic?) {
    var problem: Diagnostic?
    func spell(_ duration: Duration?) -> String? {
      guard let duration else { return nil }
      guard duration == .zero || (.milliseconds(1) ... .seconds(1 << 31)).contains(duration) else {
        problem = Diagnostic(
          "a duration of 'Healthcheck' is out of range", help: "give zero, or a millisecond or more"
        )
        return nil
      }
      return text(of: duration)
    }
    if let retries, retries < 0 {
      problem = Diagnostic("the retries of 'Healthcheck' are negative")
    }
    let options = HealthcheckInstruction.Options(
      interval: spell(interval), timeout: spell(timeout), startPeriod: spell(startPeriod),
      startInterval: spell(startInterval), retries: retries.map(String.init))
    return (options, problem)
  }

  /// `90s`, or the largest unit in which the number is whole; nothing is smaller than `ns`.
  private static func text(of duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    if attoseconds == 0 { return "\(seconds)s" }
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
    return nanoseconds % 1000 == 0 ? "\(nanoseconds / 1000)us" : "\(nanoseconds)ns"
  }
}
