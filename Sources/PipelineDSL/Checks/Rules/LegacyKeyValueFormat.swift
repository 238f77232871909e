/// `ENV name value` takes the whole rest of the line as one value (L11).
struct LegacyKeyValueFormat: CheckRule {
  let id = "LegacyKeyValueFormat"
  let summary = "ENV and LABEL should be written with '='"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.compactMap { placed in
      guard let assignment = Self.legacy(placed.step.instruction) else { return nil }
      let keyword = placed.step.instruction.keyword
      return finding(
        "'\(keyword) key=value' should be used instead of the legacy '\(keyword) key value' format",
        at: input.place(of: assignment.name.raw, in: placed.location),
        help: Self.modern(assignment).map { "write '\(keyword) \($0)'" }
          ?? "put '=' after the name, and quotes around a value that has blanks")
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    for placed in input.steps {
      guard let assignment = Self.legacy(placed.step.instruction), let location = placed.location,
        input.place(of: assignment.name.raw, in: location) == diagnostic.location,
        let modern = Self.modern(assignment), let start = diagnostic.location,
        let name = source.range(of: start), let whole = source.range(of: location)
      else { continue }
      let range = name.lowerBound..<whole.upperBound
      // Over several lines the text is not the value: leave it to the user.
      guard source.text(range).split(separator: "\n").count == 1 else { continue }
      return [SourceEdit(range, with: modern)]
    }
    return []
  }

  private static func legacy(_ instruction: Instruction) -> Assignment? {
    switch instruction {
    case .environment(let assignments), .label(let assignments):
      assignments.isLegacyForm ? assignments.all.first : nil
    default: nil
    }
  }

  /// The same assignment with `=`; nil where quotes and escapes would not mean the same.
  private static func modern(_ assignment: Assignment) -> String? {
    let value = assignment.value.raw
    guard !value.contains(where: { "\"'\\`\n".contains($0) }) else { return nil }
    let needsQuotes = value.contains { $0 == " " || $0 == "\t" }
    return "\(assignment.name.raw)=" + (needsQuotes ? "\"\(value)\"" : value)
  }
}
