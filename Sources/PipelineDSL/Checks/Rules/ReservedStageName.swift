/// `scratch` and `context` mean something else (S1).
struct ReservedStageName: CheckRule {
  let id = "ReservedStageName"
  let summary = "Reserved words should not be used as stage names"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.graph.stages.compactMap { stage in
      guard let name = stage.name, name == "scratch" || name == "context" else { return nil }
      return finding(
        "stage name '\(name)' is reserved", at: input.place(of: name, in: stage.location),
        help: name == "scratch"
          ? "'FROM scratch' is the empty image; name the stage otherwise"
          : "'context' is the build context; name the stage otherwise")
    }
  }
}
