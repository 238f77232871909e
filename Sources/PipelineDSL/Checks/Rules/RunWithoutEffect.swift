/// Every RUN has a shell of its own: what `cd` and `export` change ends with it.
struct RunWithoutEffect: CheckRule {
  let id = "RunWithoutEffect"
  let summary = "A RUN should do more than change its own shell"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.compactMap { placed in
      guard case .run(let run) = placed.step.instruction, let script = run.script else {
        return nil
      }
      let commands = SimpleCommands(script).commands
      guard !commands.isEmpty, commands.allSatisfy({ Self.isPassing($0.words) }) else { return nil }
      let isDirectory = commands.contains { $0.words.first == "cd" }
      return finding(
        "this step has no effect: its shell ends with it",
        at: input.keyword(at: placed.location),
        help: isDirectory
          ? "use WORKDIR, or join it to the next command with '&&'"
          : "use ENV, or join it to the next command with '&&'")
    }
  }

  private static func isPassing(_ words: [String]) -> Bool {
    switch words.first {
    // What a command substitution does may last.
    case "cd", "export", "unset", "alias": !words.contains { $0.contains("$(") || $0.contains("`") }
    default: false
    }
  }
}
