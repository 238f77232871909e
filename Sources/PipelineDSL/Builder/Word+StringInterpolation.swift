extension Word: ExpressibleByStringInterpolation {
  /// Takes each interpolated value literally; only variables and arguments stay references.
  public init(stringInterpolation: StringInterpolation) {
    self = stringInterpolation.word
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    private enum Part {
      case literal(String)
      case reference(String)

      var unquoted: String {
        switch self {
        case .literal(let text): text
        case .reference(let name): "${\(name)}"
        }
      }
    }

    private var parts: [Part] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      parts.append(.literal(literal))
    }

    /// Inserts a value known to the program.
    public mutating func appendInterpolation(_ value: some StringProtocol) {
      parts.append(.literal(String(value)))
    }

    /// Inserts a number.
    public mutating func appendInterpolation(_ value: some BinaryInteger) {
      parts.append(.literal(String(value)))
    }

    /// Inserts the value that a variable has at this step.
    public mutating func appendInterpolation(_ variable: Variable) {
      parts.append(.reference(variable.name))
    }

    /// Inserts the value of an argument that the stage has declared.
    public mutating func appendInterpolation(_ argument: BuildArgument) {
      parts.append(.reference(argument.name))
    }

    @available(
      *, unavailable,
      message: "a secret would be stored in the image: mount it with '.reading(secret)'"
    )
    public mutating func appendInterpolation(_ secret: Secret) {}

    fileprivate var word: Word {
      let literals = parts.map { part in
        if case .literal(let text) = part { text } else { "" }
      }.joined()
      guard Word(literal: literals).raw == literals || literals.isEmpty else {
        return Word(raw: spelledInQuotes)
      }
      if parts.isEmpty || (literals.isEmpty && !hasReference) { return Word(literal: "") }
      return Word(raw: parts.map(\.unquoted).joined())
    }

    private var hasReference: Bool {
      parts.contains { if case .reference = $0 { true } else { false } }
    }

    private var spelledInQuotes: String {
      var spelled = "\""
      for part in parts {
        switch part {
        case .reference(let name): spelled += "${\(name)}"
        case .literal(let text):
          for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "$" || scalar == "\\" {
              spelled.unicodeScalars.append("\\")
            }
            spelled.unicodeScalars.append(scalar)
          }
        }
      }
      return spelled + "\""
    }
  }
}
