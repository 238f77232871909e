/// A stage without a name that nothing uses cannot be built at all, not even with `--target`.
struct UnreachableStage: CheckRule {
  let id = "UnreachableStage"
  let summary = "Stages should be used, be the last one, or have a name"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let stages = input.graph.stages
    let used = Set(input.relations.sources.joined() + input.relations.parents.compactMap(\.self))
    return stages.indices.dropLast().compactMap { index in
      guard stages[index].name == nil, !used.contains(index) else { return nil }
      return finding(
        "this stage is never built: nothing uses it, and it has no name",
        at: stages[index].location,
        notes: [Diagnostic.Note("the image is this last stage", at: stages.last?.location)],
        help: "copy from it, name it with 'AS name' to build it with --target, or remove it")
    }
  }
}
