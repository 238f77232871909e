/// MAINTAINER is deprecated.
struct MaintainerDeprecated: CheckRule {
  let id = "MaintainerDeprecated"
  let summary = "MAINTAINER is deprecated; a label names the author"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.compactMap { placed in
      guard case .maintainer(let name) = placed.step.instruction else { return nil }
      return finding(
        "MAINTAINER is deprecated in favor of a label", at: input.keyword(at: placed.location),
        help: "write LABEL org.opencontainers.image.authors=\(Word(literal: name).raw)")
    }
  }
}
