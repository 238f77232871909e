/// Sets environment variables for the following steps and for the image: `ENV`.
///
/// ```swift
/// Env("LANG", "C.UTF-8")
/// Env("PATH", "/opt/venv/bin:\(Variable("PATH"))")
/// Env(["HOST": "0.0.0.0", "PORT": "\(port)"])
/// ```
public struct Env: SingleStep {
  private let assignments: [Assignment]

  /// Sets one variable.
  public init(_ name: String, _ value: Word) {
    assignments = [Assignment(Word(literal: name), value)]
  }

  /// Sets several variables at once, in this order.
  public init(_ variables: KeyValuePairs<String, Word>) {
    assignments = variables.map { Assignment(Word(literal: $0.key), $0.value) }
  }

  @available(
    *, unavailable,
    message: "a secret would be stored in the image: mount it with '.reading(secret, as:)'"
  )
  public init(_ name: String, _ secret: Secret) {
    self.init(name, "")
  }

  public var step: Step { Step(.environment(Assignments(assignments))) }
}
