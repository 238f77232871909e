/// Chooses the program that a container starts: `ENTRYPOINT`.
///
/// ```swift
/// Entrypoint("python", "-m", "app")
/// Entrypoint(build.executable("/out/app"), "--serve")
/// Entrypoint(shell: "exec app --port \(raw: "$PORT")")
/// ```
public struct Entrypoint: SingleStep {
  public let step: Step

  /// Takes a program and its arguments: no shell, no quoting.
  public init(_ arguments: String...) {
    self.init(arguments: arguments)
  }

  /// Takes a vector of arguments that the program has computed; an empty one clears the base's.
  public init(arguments: [String]) {
    step = Step(
      .instruction(.entrypoint(.exec(arguments))),
      problem: InstructionCheck.problem(of: arguments, in: "Entrypoint", mayBeEmpty: true))
  }

  /// Takes a program that this stage made, inherited or has copied, and its arguments.
  ///
  /// The path is the one it has in this stage: where ``Copy`` put it, or where it was made.
  public init(_ program: Artifact<Executable>, _ arguments: String...) {
    step = Step(.start(.entrypoint, executable: program.reference, arguments: arguments))
  }

  /// Takes text for the image's shell.
  public init(shell command: ShellCommand) {
    step = command.metadataStep(keyword: "ENTRYPOINT") { .entrypoint($0) }
  }
}
