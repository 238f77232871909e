/// Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage, the last one counts.
struct MultipleInstructionsDisallowed: CheckRule {
  let id = "MultipleInstructionsDisallowed"
  let summary = "A stage should have one CMD, one ENTRYPOINT and one HEALTHCHECK at most"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var last: [String: CheckInput.PlacedStep] = [:]
    var found: [Diagnostic] = []
    for placed in input.steps {
      switch placed.step.instruction {
      case .command, .entrypoint, .healthcheck: break
      default: continue
      }
      let keyword = placed.step.instruction.keyword
      // The earlier one is reported: it is the one that does nothing.
      if let earlier = last[keyword], earlier.stage == placed.stage {
        found.append(
          finding(
            "multiple \(keyword) instructions in one stage: only the last one is used",
            at: input.keyword(at: earlier.location), label: "has no effect",
            notes: [Diagnostic.Note("replaced here", at: placed.location)], help: "remove it"))
      }
      last[keyword] = placed
    }
    return found
  }
}
