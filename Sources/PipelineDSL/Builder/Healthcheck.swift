/// Says how to find out whether a container works: `HEALTHCHECK`.
///
/// ```swift
/// Healthcheck("curl -f http://localhost/", every: .seconds(30), retries: 3)
/// Healthcheck(arguments: ["/usr/bin/check", "--quick"])
/// Healthcheck.none
/// ```
public struct Healthcheck: SingleStep {
  public let step: Step

  private init(_ step: Step) {
    self.step = step
  }

  /// Checks nothing, whatever the base image says.
  public static let none = Healthcheck(Step(.healthcheck(.none)))

  /// Checks with text for the image's shell.
  ///
  /// - Parameters:
  ///   - command: exits with status 0 when the container works.
  ///   - interval: the time between two checks.
  ///   - timeout: how long a check may take.
  ///   - startPeriod: how long failures do not count after the start.
  ///   - startInterval: the time between two checks in that period.
  ///   - retries: how many failures in a row mean that the container does not work.
  public init(
    _ command: ShellCommand, every interval: Duration? = nil, timeout: Duration? = nil,
    startPeriod: Duration? = nil, startInterval: Duration? = nil, retries: Int? = nil
  ) {
    let (options, problem) = HealthcheckInstruction.Options.spelled(
      interval: interval, timeout: timeout, startPeriod: startPeriod,
      startInterval: startInterval, retries: retries)
    let step = command.metadataStep(keyword: "HEALTHCHECK") {
      .healthcheck(.command($0, options))
    }
    self.step = step.adding(problem)
  }

  /// Checks with a program and its arguments as they are; the options are the same.
  public init(
    arguments: [String], every interval: Duration? = nil, timeout: Duration? = nil,
    startPeriod: Duration? = nil, startInterval: Duration? = nil, retries: Int? = nil
  ) {
    let (options, problem) = HealthcheckInstruction.Options.spelled(
      interval: interval, timeout: timeout, startPeriod: startPeriod,
      startInterval: startInterval, retries: retries)
    step = Step(
      .instruction(.healthcheck(.command(.exec(arguments), options))),
      problem: InstructionCheck.problem(of: arguments, in: "Healthcheck") ?? problem)
  }
}
