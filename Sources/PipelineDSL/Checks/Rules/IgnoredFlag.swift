/// STOPSIGNAL, ARG and HEALTHCHECK NONE drop flags without a word (X8).
///
/// The parser finds it: flags that mean nothing are not in the graph.
struct IgnoredFlag: CheckRule {
  let id = "IgnoredFlag"
  let summary = "Instructions without flags should have none"

  func check(_ input: CheckInput) -> [Diagnostic] { [] }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    FlagRemoval.edits(at: diagnostic.location, in: source)
  }
}
