/// Attaches labels to the image: `LABEL`.
///
/// ```swift
/// Label("org.opencontainers.image.title", "Light Python")
/// Label(["team": "build tools", "tier": "internal"])
/// ```
public struct Label: SingleStep {
  private let assignments: [Assignment]

  /// Attaches one label.
  public init(_ name: String, _ value: Word) {
    assignments = [Assignment(Word(literal: name), value)]
  }

  /// Attaches several labels at once.
  public init(_ labels: KeyValuePairs<String, Word>) {
    assignments = labels.map { Assignment(Word(literal: $0.key), $0.value) }
  }

  @available(
    *, unavailable,
    message: "a secret would be stored in the image, where anybody can read it"
  )
  public init(_ name: String, _ secret: Secret) {
    self.init(name, "")
  }

  public var step: Step { Step(.label(Assignments(assignments))) }
}
