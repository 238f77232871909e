import PipelineDSL

extension Planner {
  /// Takes a `HEALTHCHECK` into a stage (M4).
  func take(
    _ check: HealthcheckInstruction, at location: SourceLocation?, _ state: inout StageState
  ) throws {
    let healthcheck = try Self.healthcheck(check, at: location)
    state.execution.healthcheck = healthcheck
    let durations = [
      ("Interval", healthcheck.interval), ("Timeout", healthcheck.timeout),
      ("StartPeriod", healthcheck.startPeriod), ("StartInterval", healthcheck.startInterval),
    ].map { name, value in "\(name):\(GoDuration.text(value ?? 0))" }.joined(separator: " ")
    let test = GoText.list(healthcheck.test ?? [])
    state.note("HEALTHCHECK {Test:\(test) \(durations) Retries:\(healthcheck.retries ?? 0)}")
  }

  /// Reads the options of a check.
  static func healthcheck(
    _ check: HealthcheckInstruction, at location: SourceLocation?
  ) throws -> ImageConfiguration.Healthcheck {
    guard case .command(let command, let options) = check else { return .init(test: ["NONE"]) }
    let test: [String] =
      switch command {
      case .shell(let text): ["CMD-SHELL", text]
      case .exec(let arguments): ["CMD"] + arguments
      }
    func duration(_ flag: String, _ text: String?) throws -> Int64? {
      guard let text else { return nil }
      guard let value = GoDuration.nanoseconds(text) else {
        throw Diagnostic(
          "invalid duration '\(text)' in --\(flag)", at: location,
          help: "write a number and a unit, such as 30s or 1m30s")
      }
      guard value == 0 || value >= 1_000_000 else {
        throw Diagnostic(
          "Interval '\(flag)' cannot be less than 1ms", at: location)
      }
      return value == 0 ? nil : value
    }
    var healthcheck = ImageConfiguration.Healthcheck(test: test)
    healthcheck.interval = try duration("interval", options.interval)
    healthcheck.timeout = try duration("timeout", options.timeout)
    healthcheck.startPeriod = try duration("start-period", options.startPeriod)
    healthcheck.startInterval = try duration("start-interval", options.startInterval)
    if let text = options.retries, !text.isEmpty {
      guard let count = Int32(text), count >= 0 else {
        throw Diagnostic(
          "--retries must be a number of at least 0, not '\(text)'", at: location)
      }
      healthcheck.retries = count == 0 ? nil : Int(count)
    }
    return healthcheck
  }
}
