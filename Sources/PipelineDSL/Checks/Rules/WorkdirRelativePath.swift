/// A relative WORKDIR starts wherever the base image happens to be.
struct WorkdirRelativePath: CheckRule {
  let id = "WorkdirRelativePath"
  let summary = "The first WORKDIR of a build should be absolute"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var hasOne: Set<Int> = []
    var found: [Diagnostic] = []
    input.walk { placed, variables in
      guard case .workingDirectory(let word) = placed.step.instruction else { return }
      let lineage = input.relations.lineage(of: placed.stage)
      let isFirst = hasOne.isDisjoint(with: lineage)
      hasOne.insert(placed.stage)
      guard isFirst, let path = variables.expand(word), !path.hasPrefix("/") else { return }
      found.append(
        finding(
          "relative working directory '\(path)' can have unexpected results if the base image "
            + "changes", at: input.place(of: word.raw, in: placed.location),
          help: "start it with '/'"))
    }
    return found
  }
}
