/// A word that no environment can expand: better told before a build than in its middle (V2, V3).
struct InvalidExpansion: CheckRule {
  let id = "InvalidExpansion"
  let summary = "Substitutions should be ones that can be expanded"
  let severity = Diagnostic.Severity.error

  func check(_ input: CheckInput) -> [Diagnostic] {
    // Every variable is set, so that what is left are mistakes of the word itself.
    let expansion = WordExpansion(escape: input.graph.directives.escape) { _ in "x" }
    var found: [Diagnostic] = []
    func check(_ word: Word, _ location: SourceLocation?) {
      do {
        _ = try expansion.expand(word)
      } catch {
        let place = input.place(of: word.raw, in: location)
        found.append(finding(error.message, at: place, help: error.help))
      }
    }
    for stage in input.graph.stages {
      for word in [stage.base] + (stage.platform.map { [$0] } ?? []) { check(word, stage.location) }
      for step in stage.steps {
        for word in step.instruction.words { check(word, step.location) }
      }
    }
    for step in input.graph.globals {
      for word in step.instruction.words { check(word, step.location) }
    }
    return found
  }
}
