/// Chooses what a container runs, or the arguments of its entrypoint: `CMD`.
///
/// ```swift
/// Command("python", "-m", "app")
/// Command(shell: "exec app --port \(raw: "$PORT")")
/// ```
public struct Command: SingleStep {
  public let step: Step

  /// Takes a program and its arguments: no shell, no quoting.
  public init(_ arguments: String...) {
    self.init(arguments: arguments)
  }

  /// Takes a vector of arguments that the program has computed; an empty one clears the base's.
  public init(arguments: [String]) {
    step = Step(
      .instruction(.command(.exec(arguments))),
      problem: InstructionCheck.problem(of: arguments, in: "Command", mayBeEmpty: true))
  }

  /// Takes a program that this stage made, inherited or has copied, and its arguments.
  ///
  /// The path is the one it has in this stage: where ``Copy`` put it, or where it was made.
  public init(_ program: Artifact<Executable>, _ arguments: String...) {
    step = Step(.start(.command, executable: program.reference, arguments: arguments))
  }

  /// Takes text for the image's shell.
  public init(shell command: ShellCommand) {
    step = command.metadataStep(keyword: "CMD") { .command($0) }
  }
}
