/// A tag that moves makes tomorrow's build another one.
struct UnpinnedBase: CheckRule {
  let id = "UnpinnedBase"
  let summary = "Base images should have a tag other than latest, or a digest"
  let isExperimental = true

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.graph.stages.indices.compactMap { index in
      let stage = input.graph.stages[index]
      guard let base = input.relations.bases[index], input.relations.parents[index] == nil,
        base != "scratch", !base.isEmpty, !base.contains("@")
      else { return nil }
      let last = base.split(separator: "/").last.map(String.init) ?? base
      let tag = last.split(separator: ":", maxSplits: 1).dropFirst().first
      guard tag == nil || tag == "latest" else { return nil }
      return finding(
        tag == nil
          ? "base image '\(base)' has no tag: that is whatever is latest"
          : "base image '\(base)' is whatever is latest",
        at: input.place(of: stage.base.raw, in: stage.location),
        help: "name a version, or pin the image with a digest")
    }
  }
}
