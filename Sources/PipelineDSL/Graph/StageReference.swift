/// The text of a `from`, and whether digits are the index of a stage (S3).
struct StageReference {
  var text: String
  var allowsIndex: Bool

  /// What an instruction reads from, besides the main build context and its own stage.
  static func all(in instruction: Instruction) -> [StageReference] {
    switch instruction {
    case .copy(let copy): copy.from.map { [StageReference(text: $0, allowsIndex: true)] } ?? []
    case .run(let run):
      run.mounts.compactMap(\.from).map { StageReference(text: $0, allowsIndex: false) }
    default: []
    }
  }
}

extension StageGraph {
  /// The stage that `FROM` means by a name: names are compared as written (X10).
  func stageNamed(_ name: String, before index: Int) -> Int? {
    stages[..<index].lastIndex { $0.name == name }
  }

  /// The stage that a `from` means, nil where it names something else.
  func stageReferred(_ reference: StageReference, before index: Int) -> Int? {
    if let found = stageNamed(reference.text.lowercased(), before: index) { return found }
    guard reference.allowsIndex, let number = Int(reference.text), (0..<index).contains(number)
    else { return nil }
    return number
  }
}
