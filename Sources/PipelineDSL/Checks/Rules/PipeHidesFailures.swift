/// A pipe succeeds when its last command does.
struct PipeHidesFailures: CheckRule {
  let id = "PipeHidesFailures"
  let summary = "A RUN with a pipe should set pipefail"
  /// The shell of many images knows no pipefail, and many pipes cannot fail in a way that matters.
  let isExperimental = true

  func check(_ input: CheckInput) -> [Diagnostic] {
    var shells: [Int: [String]] = [:]
    return input.steps.compactMap { placed in
      if case .shell(let words) = placed.step.instruction { shells[placed.stage] = words }
      guard case .run(let run) = placed.step.instruction, let script = run.script else {
        return nil
      }
      let shell = input.relations.lineage(of: placed.stage).lazy.compactMap { shells[$0] }.first
      let commands = SimpleCommands(script).commands
      guard commands.contains(where: { $0.connection == .pipe }),
        !(shell ?? []).contains(where: { $0.contains("pipefail") }),
        !commands.contains(where: { $0.words.contains("pipefail") })
      else { return nil }
      return finding(
        "a command before the '|' can fail unnoticed", at: input.keyword(at: placed.location),
        help:
          "write SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"] above, where there is a bash")
    }
  }
}
