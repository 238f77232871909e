/// FROM sees the ARGs above the first FROM and the automatic ones, nothing else (S6, S7).
struct UndefinedArgInFrom: CheckRule {
  let id = "UndefinedArgInFrom"
  let summary = "FROM should use declared arguments only"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let escape = input.graph.directives.escape
    let globals = input.relations.globals
    var found: [Diagnostic] = []
    for (index, stage) in input.graph.stages.enumerated() {
      let words = [stage.base] + (stage.platform.map { [$0] } ?? [])
      for name in words.flatMap({ WordExpansion.names(in: $0, escape: escape) })
      where !globals.declares(name) && name.first?.isLetterOrUnderscore == true {
        let near = EditDistance.nearest(to: name, among: globals.names)
        found.append(
          finding(
            "FROM argument '\(name)' is not declared",
            at: input.place(ofVariable: name, in: stage.location),
            notes: Self.note(name, before: index, in: input),
            help: near.map { "did you mean '\($0)'?" }
              ?? "declare it with 'ARG \(name)' above the first FROM"))
      }
    }
    return found
  }

  /// Where an earlier stage declares it for itself.
  private static func note(
    _ name: String, before stage: Int, in input: CheckInput
  ) -> [Diagnostic.Note] {
    let step = input.steps.first { placed in
      guard placed.stage < stage, case .argument(let declarations) = placed.step.instruction else {
        return false
      }
      return declarations.contains { $0.name == name }
    }
    return step.map {
      [
        Diagnostic.Note(
          "the ARG here belongs to its stage and is not seen by FROM", at: $0.location)
      ]
    } ?? []
  }
}

extension Character {
  var isLetterOrUnderscore: Bool { isLetter || self == "_" }
}
