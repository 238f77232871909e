/// A word that no environment can expand: better told before a build than in its middle (V2, V3).
struct InvalidExpansion: CheckRule {
  let id = "InvalidExpansion"
  let summary = "Substitutions should be ones that can be expanded"
  let severity = Diagnostic.Severity.error

  func check(_ input: CheckInput) -> [Diagnostic] {
    // Every variable is set, so that what is left are mistakes of the word itself.
    let expansion = WordExpansion(escape: input.graph.directives.escape) { _ in "x" }
    var found: [Diagnostic] = []
    func check(_ word: Word, _ location: SourceLocation?, splitsAtBlanks: Bool = false) {
      do {
        _ = try expansion.expand(word)
      } catch {
        let place = input.place(of: word.raw, in: location)
        let isPiece = splitsAtBlanks && word.raw.contains { $0 == "\"" || $0 == "'" }
        let help =
          isPiece
          ? "paths split at blanks, quoted or not: write the JSON form [\"a b\", \"c\"]" : nil
        found.append(finding(error.message, at: place, help: help ?? error.help))
      }
    }
    for stage in input.graph.stages {
      for word in [stage.base] + (stage.platform.map { [$0] } ?? []) { check(word, stage.location) }
      for step in stage.steps {
        for word in step.instruction.words {
          check(word, step.location, splitsAtBlanks: step.instruction.splitsAtBlanks)
        }
      }
    }
    for step in input.graph.globals {
      for word in step.instruction.words { check(word, step.location) }
    }
    return found
  }
}

extension Instruction {
  /// Whether operands end at blanks whatever quotes they are in (L10).
  fileprivate var splitsAtBlanks: Bool {
    switch self {
    case .add, .copy, .volume: true
    default: false
    }
  }
}
