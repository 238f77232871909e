/// BuildKit drops `--link` without a word where there is a `--chmod`, and so do we (X6).
struct LinkIgnored: CheckRule {
  let id = "LinkIgnored"
  let summary = "--link has no effect together with --chmod"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.compactMap { placed in
      switch placed.step.instruction {
      case .copy(let copy) where copy.isLinked && copy.mode != nil: break
      case .add(let add) where add.isLinked && add.mode != nil: break
      default: return nil
      }
      return finding(
        "'--link' is ignored together with '--chmod'",
        at: input.place(of: "--link", in: placed.location),
        help: "remove one of them: without --link, links in the destination are followed")
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let range = diagnostic.location.flatMap(source.range(of:)),
      source.text(range) == "--link", range.upperBound < source.bytes.count,
      source.bytes[range.upperBound] == 0x20 || source.bytes[range.upperBound] == 0x09
    else { return [] }
    return FlagRemoval.edits(at: diagnostic.location, in: source)
  }
}
