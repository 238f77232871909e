/// Package lists in a layer of their own grow stale: the install after it finds no such version.
struct AptUpdateAlone: CheckRule {
  let id = "AptUpdateAlone"
  let summary = "'apt-get update' and 'apt-get install' should be in one RUN"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for stage in input.graph.stages.indices {
      var update: SourceLocation?
      var isPending = false
      for step in input.graph.stages[stage].steps {
        guard case .run(let run) = step.instruction, let script = run.script else { continue }
        let commands = SimpleCommands(script).commands.map(\.words)
        let installs = commands.contains { $0.isApt("install") }
        let updates = commands.contains { $0.isApt("update") }
        if updates {
          update = step.location
          isPending = !installs
        } else if installs, isPending {
          isPending = false
          found.append(
            finding(
              "'apt-get update' is cached apart from the 'apt-get install' that needs it",
              at: input.keyword(at: update),
              notes: [Diagnostic.Note("the packages are installed here", at: step.location)],
              help: "join them: RUN apt-get update && apt-get install -y …"))
        }
      }
    }
    return found
  }
}

extension [String] {
  /// Whether the words call apt with an action.
  func isApt(_ action: String) -> Bool {
    let words = drop { $0.contains("=") || $0 == "sudo" || $0 == "env" }
    guard let program = words.first, program == "apt-get" || program == "apt" else { return false }
    return words.dropFirst().first { !$0.hasPrefix("-") } == action
  }
}
