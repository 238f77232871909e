/// Package lists make a layer some twenty megabytes larger.
struct AptListsKept: CheckRule {
  let id = "AptListsKept"
  let summary = "The layers of the image should not keep apt's package lists"
  let isExperimental = true

  func check(_ input: CheckInput) -> [Diagnostic] {
    // What earlier stages keep does not reach the image.
    let last = input.graph.stages.count - 1
    let shipped = last < 0 ? [] : input.relations.lineage(of: last)
    return input.steps.compactMap { placed in
      guard shipped.contains(placed.stage), case .run(let run) = placed.step.instruction,
        let script = run.script,
        SimpleCommands(script).commands.contains(where: { $0.words.isApt("update") }),
        !script.contains("/var/lib/apt"),
        !run.mounts.contains(where: { ($0["target"]?.raw ?? "").hasPrefix("/var/lib/apt") })
      else { return nil }
      return finding(
        "the package lists of 'apt-get update' stay in the image",
        at: input.keyword(at: placed.location),
        help: "end the step with '&& rm -rf /var/lib/apt/lists/*', or mount a cache there: "
          + "--mount=type=cache,target=/var/lib/apt,sharing=locked")
    }
  }
}
