/// A constant platform takes the choice from whoever builds.
struct FromPlatformFlagConstDisallowed: CheckRule {
  let id = "FromPlatformFlagConstDisallowed"
  let summary = "FROM --platform should not be constant"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let escape = input.graph.directives.escape
    return input.graph.stages.compactMap { stage in
      guard let word = stage.platform, WordExpansion.names(in: word, escape: escape).isEmpty else {
        return nil
      }
      // A stage that is named after a platform is meant to be for that one.
      let parts = word.raw.lowercased().split(separator: "/").prefix(2)
      let name = stage.name ?? ""
      guard !parts.contains(where: { name.contains($0) }) else { return nil }
      return finding(
        "FROM --platform should not use the constant '\(word.raw)'",
        at: input.place(of: "--platform=\(word.raw)", in: stage.location),
        help: "build with --platform, use $BUILDPLATFORM for a stage that cross-compiles, or put "
          + "the platform into the stage's name")
    }
  }
}
