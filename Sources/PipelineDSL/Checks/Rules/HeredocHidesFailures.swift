/// A shell goes on after a command that failed: of a here-document, only the last one counts (W10).
struct HeredocHidesFailures: CheckRule {
  let id = "HeredocHidesFailures"
  let summary = "A RUN here-document should stop at the first failure"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for stage in input.graph.stages.indices {
      var shell: [String] = []
      for step in input.relations.lineage(of: stage).reversed()
        .flatMap({ ancestor in input.graph.stages[ancestor].steps.map { (ancestor, $0) } })
      {
        if case .shell(let words) = step.1.instruction { shell = words }
        guard step.0 == stage, case .run(let run) = step.1.instruction,
          let heredoc = run.soleHeredoc, Self.hidesFailures(heredoc.body, shell)
        else { continue }
        found.append(
          finding(
            "a failing command in this here-document does not fail the step, unless it is the last",
            at: input.place(of: "<<", in: step.1.location),
            help: "begin the text with 'set -e'"))
      }
    }
    return found
  }

  private static func hidesFailures(_ body: String, _ shell: [String]) -> Bool {
    var words = shell.isEmpty ? ["/bin/sh", "-c"] : shell
    if body.hasPrefix("#!") {
      // The kernel runs the file by its first line; SHELL takes no part.
      let line = body.dropFirst(2).prefix { $0 != "\n" }
      words = line.split(separator: " ").map(String.init)
      if words.first?.hasSuffix("/env") == true { words.removeFirst() }
    }
    guard let program = words.first?.split(separator: "/").last,
      ["sh", "bash", "ash", "dash", "ksh", "zsh"].contains(program),
      !words.dropFirst().contains(where: stopsAtFailures)
    else { return false }
    let commands = SimpleCommands(body).commands
    let stops = commands.contains { command in
      command.words.first == "set" && command.words.dropFirst().contains(where: stopsAtFailures)
    }
    // One `if` or `case` fails when its last command does.
    let isOneBranch =
      ["if", "case"].contains(commands.first?.words.first)
      && ["fi", "esac"].contains(commands.last?.words.last)
    guard !isOneBranch else { return false }
    // Within `a && b` the second says whether the first failed.
    return !stops && commands.dropFirst().contains { $0.connection == .sequence }
  }

  /// `-e`, `-eux`, and the long name.
  private static func stopsAtFailures(_ option: String) -> Bool {
    option == "errexit"
      || (option.hasPrefix("-") && !option.hasPrefix("--") && option.contains("e"))
  }
}
