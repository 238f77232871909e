/// Stage names are stored in lower case, so that `FROM Name` does not find `AS Name` (X10).
///
/// The parser finds it, since the graph has the stored name only.
struct StageNameCasing: CheckRule {
  let id = "StageNameCasing"
  let summary = "Stage names should be lower case"

  func check(_ input: CheckInput) -> [Diagnostic] { [] }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let range = diagnostic.location.flatMap(source.range(of:)) else { return [] }
    return [SourceEdit(range, with: source.text(range).lowercased())]
  }
}
