/// A name that no stage has is an image, which is seldom meant where a stage's name is near (S3).
struct UnknownCopySource: CheckRule {
  let id = "UnknownCopySource"
  let summary = "COPY --from and mounts should name stages that exist"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.flatMap { placed in
      placed.step.instruction.sourceNames.compactMap { name, isMount in
        check(name, isMount, placed, input)
      }
    }
  }

  private func check(
    _ name: String, _ isMount: Bool, _ placed: CheckInput.PlacedStep, _ input: CheckInput
  ) -> Diagnostic? {
    let lower = name.lowercased()
    let stages = input.graph.stages
    let isBare = !name.isEmpty && !name.contains { "/:@.$".contains($0) }
    guard isBare, !stages[..<placed.stage].contains(where: { $0.name == lower }) else { return nil }
    let place = input.place(of: "from=\(name)", in: placed.location)
    if let later = stages[placed.stage...].first(where: { $0.name == lower }) {
      return finding(
        "stage '\(lower)' is used before it is declared", at: place,
        notes: [Diagnostic.Note("'\(lower)' is declared here", at: later.location)],
        help: "move the stage up: a stage can only use earlier ones")
    }
    let near = EditDistance.nearest(to: lower, among: stages[..<placed.stage].compactMap(\.name))
    if let near, !isMount || Int(name) == nil {
      return finding(
        "'\(name)' is no stage of this file", at: place, help: "did you mean '\(near)'?")
    }
    if isMount, let number = Int(name), (0..<placed.stage).contains(number) {
      return finding(
        "'from=\(name)' of a mount names an image: only COPY counts stages", at: place,
        help: "give the stage a name and write that")
    }
    return nil
  }
}
