extension Word: ExpressibleByStringInterpolation {
  /// Takes each interpolated value literally; only variables and arguments stay references.
  public init(stringInterpolation: StringInterpolation) {
    self = stringInterpolation.word
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    private enum Part {
      case literal(String)
      case reference(Reference)

      var unquoted: String {
        switch self {
        case .literal(let text): text
        case .reference(let reference): "${\(reference.name)}"
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
      parts.append(.reference(.variable(variable)))
    }

    /// Inserts the value of an argument; the stage declares it by itself.
    public mutating func appendInterpolation(_ argument: BuildArgument) {
      parts.append(.reference(.argument(argument)))
    }

    @available(
      *, unavailable,
      message: "a secret would be stored in the image: mount it with '.reading(secret)'"
    )
    public mutating func appendInterpolation(_ secret: Secret) {}

    @available(
      *, unavailable,
      message: """
        nothing is mounted here: copy the artifact into the stage and write the path it has there
        """
    )
    public mutating func appendInterpolation(_ artifact: any ArtifactReference) {}

    fileprivate var word: Word {
      var literals = ""
      var references: [Reference] = []
      for part in parts {
        switch part {
        case .literal(let text): literals += text
        case .reference(let reference): references.append(reference)
        }
      }
      let isPlain = !literals.isEmpty && Word(literal: literals).raw == literals
      let isReferenceAlone = literals.isEmpty && !references.isEmpty
      var word = Word(
        raw: isPlain || isReferenceAlone ? parts.map(\.unquoted).joined() : spelledInQuotes)
      word.references = references
      return word
    }

    private var spelledInQuotes: String {
      var spelled = "\""
      for part in parts {
        switch part {
        case .reference: spelled += part.unquoted
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
