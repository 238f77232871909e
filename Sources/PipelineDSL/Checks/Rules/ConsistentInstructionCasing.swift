/// All keywords of a file in one case, that of most of them.
struct ConsistentInstructionCasing: CheckRule {
  let id = "ConsistentInstructionCasing"
  let summary = "Instructions should all be in the same case, upper or lower"

  func check(_ input: CheckInput) -> [Diagnostic] {
    guard let source = input.source else { return [] }
    let keywords = Self.keywords(input, source)
    let isLower = Self.mostAreLower(keywords, source)
    return keywords.compactMap { location, range in
      let spelled = source.text(range)
      let wanted = isLower ? spelled.lowercased() : spelled.uppercased()
      guard spelled != wanted else { return nil }
      return finding(
        "instruction '\(spelled)' is not in the case of the others, which is "
          + (isLower ? "lower case" : "upper case"), at: location, help: "write '\(wanted)'")
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let range = diagnostic.location.flatMap(source.range(of:)) else { return [] }
    let isLower = Self.mostAreLower(Self.keywords(input, source), source)
    let spelled = source.text(range)
    return [SourceEdit(range, with: isLower ? spelled.lowercased() : spelled.uppercased())]
  }

  private static func keywords(
    _ input: CheckInput, _ source: SourceText
  ) -> [(SourceLocation, Range<Int>)] {
    input.graph.stages.flatMap { [$0.location] + $0.steps.map(\.location) }.compactMap { whole in
      guard let place = input.keyword(at: whole), let range = source.range(of: place) else {
        return nil
      }
      return (place, range)
    }
  }

  private static func mostAreLower(
    _ keywords: [(SourceLocation, Range<Int>)], _ source: SourceText
  ) -> Bool {
    let texts = keywords.map { source.text($0.1) }
    return texts.count { $0 == $0.lowercased() } > texts.count { $0 == $0.uppercased() }
  }
}
