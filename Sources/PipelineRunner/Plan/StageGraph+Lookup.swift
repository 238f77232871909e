import PipelineDSL

extension StageGraph {
  /// The stage to build: the last one, or the one of a name (S5).
  func targetStage(named name: String?) throws(Diagnostic) -> Int {
    guard let name, !name.isEmpty else { return stages.count - 1 }
    if let index = stages.lastIndex(where: { $0.name == name.lowercased() }) { return index }
    let near = EditDistance.nearest(to: name.lowercased(), among: stages.compactMap(\.name))
    let names = stages.compactMap(\.name).joined(separator: ", ")
    throw Diagnostic(
      "target stage '\(name)' could not be found",
      help: near.map { "did you mean '\($0)'?" }
        ?? (names.isEmpty ? "no stage has a name" : "the stages are \(names)"))
  }

  /// The last stage of a name before another, as `FROM` sees it: names are stored in lower case
  /// and compared as written (X10).
  func stageIndex(named name: String, before index: Int) -> Int? {
    stages[..<index].lastIndex { $0.name == name }
  }

  /// The stage that a `from` names: by name in any case, or by number where that is allowed.
  ///
  /// - Throws: a diagnostic for a number that no earlier stage has, and for a later stage (S3, S4).
  func stageIndex(
    from text: String, at index: Int, allowsIndex: Bool, location: SourceLocation?
  ) throws(Diagnostic) -> Int? {
    let name = text.lowercased()
    if let found = stageIndex(named: name, before: index) { return found }
    if allowsIndex, let number = Int(text) {
      guard (0..<index).contains(number) else {
        throw Diagnostic(
          "invalid stage index \(number)", at: location,
          help: index == 0
            ? "no stage comes before this one"
            : index == 1 ? "the only earlier stage is 0" : "earlier stages are 0 to \(index - 1)")
      }
      return number
    }
    guard let later = stages[index...].firstIndex(where: { $0.name == name }) else { return nil }
    if later == index {
      throw Diagnostic("stage '\(name)' cannot copy from itself", at: location)
    }
    throw Diagnostic(
      "stage '\(name)' needs to be defined before current stage", at: location,
      notes: [Diagnostic.Note("'\(name)' is declared here", at: stages[later].location)])
  }
}
