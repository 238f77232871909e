/// `FROM … as` reads better in one case.
struct FromAsCasing: CheckRule {
  let id = "FromAsCasing"
  let summary = "The AS of a FROM should be in the case of the FROM"

  func check(_ input: CheckInput) -> [Diagnostic] {
    mismatches(input).map { mismatch in
      finding(
        "'\(mismatch.spelled)' and '\(mismatch.from)' are not in the same case",
        at: mismatch.location, help: "write '\(mismatch.wanted)'")
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    mismatches(input).filter { $0.location == diagnostic.location }.compactMap { mismatch in
      source.range(of: mismatch.location).map { SourceEdit($0, with: mismatch.wanted) }
    }
  }

  private struct Mismatch {
    var from: String
    var spelled: String
    var wanted: String
    var location: SourceLocation
  }

  private func mismatches(_ input: CheckInput) -> [Mismatch] {
    guard let source = input.source else { return [] }
    return input.graph.stages.compactMap { stage in
      guard stage.name != nil, let location = stage.location,
        let range = source.range(of: location)
      else { return nil }
      let words = source.words(in: range)
      guard words.count >= 4 else { return nil }
      let from = source.text(words[0])
      let keyword = words[words.count - 2]
      let spelled = source.text(keyword)
      guard spelled.lowercased() == "as", let wanted = Self.matching(from), spelled != wanted else {
        return nil
      }
      return Mismatch(
        from: from, spelled: spelled, wanted: wanted,
        location: source.location(of: keyword, in: location))
    }
  }

  /// The `AS` for a `FROM`; nil where that has no case of its own.
  private static func matching(_ from: String) -> String? {
    switch from {
    case "FROM": "AS"
    case "from": "as"
    default: nil
    }
  }
}
