/// The variables of a stage as far as they are known without building.
struct StageVariables: Sendable {
  /// The values of what is declared; nil where only a build would tell.
  private(set) var values: [String: String?] = [:]
  /// True where nothing but what is declared can be set: no image's environment comes in.
  private(set) var isComplete: Bool
  private let escape: Unicode.Scalar

  init(isComplete: Bool, escape: Unicode.Scalar) {
    self.isComplete = isComplete
    self.escape = escape
    values["PATH"] = .some(nil)
  }

  var names: [String] { values.keys.sorted() }

  func declares(_ name: String) -> Bool { values[name] != nil }

  mutating func set(_ name: String, _ value: String?) {
    values.updateValue(value, forKey: name)
  }

  /// A word's value; nil where it depends on what is not known, or cannot be expanded.
  func expand(_ word: Word) -> String? {
    let references = WordExpansion.references(in: word, escape: escape)
    let isKnown = references.allSatisfy { reference in
      guard let value = values[reference.name] else { return isComplete }
      return value != nil
    }
    guard isKnown else { return nil }
    return try? WordExpansion(escape: escape) { values[$0].flatMap(\.self) }.expand(word)
  }

  /// Takes what an instruction declares.
  mutating func take(_ instruction: Instruction, globals: StageVariables) {
    switch instruction {
    case .argument(let declarations):
      for declaration in declarations {
        if let word = declaration.defaultValue {
          set(declaration.name, expand(word))
        } else {
          set(declaration.name, globals.values[declaration.name].flatMap(\.self))
        }
      }
    case .environment(let assignments):
      let before = self
      for assignment in assignments.all {
        guard let name = before.expand(assignment.name) else { continue }
        set(name, before.expand(assignment.value))
      }
    default: break
    }
  }
}
