/// A command in shell form runs below a shell, which does not pass signals on.
struct JSONArgsRecommended: CheckRule {
  let id = "JSONArgsRecommended"
  let summary = "CMD and ENTRYPOINT should be in JSON form, so that signals reach the program"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var shelled: Set<Int> = []
    return input.steps.compactMap { placed in
      switch placed.step.instruction {
      case .shell:
        // Whoever sets a shell wants it.
        shelled.insert(placed.stage)
        return nil
      case .command(.shell(let text)), .entrypoint(.shell(let text)):
        guard !text.isEmpty, shelled.isDisjoint(with: input.relations.lineage(of: placed.stage))
        else { return nil }
        let keyword = placed.step.instruction.keyword
        return finding(
          "JSON arguments recommended for \(keyword) to prevent unintended behavior related to OS "
            + "signals", at: input.keyword(at: placed.location),
          label: "runs as '/bin/sh -c', which keeps signals to itself",
          help: Self.suggestion(keyword, text))
      default: return nil
      }
    }
  }

  /// The JSON form, where no shell is needed to read the text.
  private static func suggestion(_ keyword: String, _ text: String) -> String {
    let special = "$&|;<>()*?[]{}~`\"'\\#=\n"
    guard !text.contains(where: special.contains) else {
      return "write \(keyword) [\"program\", \"argument\"], or set SHELL if a shell is wanted"
    }
    let words = text.split(separator: " ").map { JSONText.string(String($0)) }
    return "write \(keyword) [\(words.joined(separator: ", "))]"
  }
}
