/// Something that a declaration refers to by name, and whose value only a build knows.
enum Reference: Sendable {
  case argument(BuildArgument)
  case variable(Variable)

  var argument: BuildArgument? {
    if case .argument(let argument) = self { argument } else { nil }
  }

  var name: String {
    switch self {
    case .argument(let argument): argument.name
    case .variable(let variable): variable.name
    }
  }

  /// What is wrong with the name, nil where nothing is.
  ///
  /// Braces around a name with other characters would mean something else, such as a default.
  var problem: String? {
    Self.isName(name) ? nil : "'\(name)' cannot be the name of a variable"
  }

  /// Whether a shell takes the text for a name too: letters, digits and `_`, no digit first.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
    return name.utf8.allSatisfy {
      (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95
    }
  }
}
