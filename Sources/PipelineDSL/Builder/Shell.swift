/// Chooses the shell for the text of the following steps: `SHELL`.
///
/// ```swift
/// Shell("/bin/bash", "-o", "pipefail", "-c")
/// ```
public struct Shell: SingleStep {
  private let arguments: [String]

  /// Takes the shell and the arguments before the text.
  public init(_ arguments: String...) {
    self.arguments = arguments
  }

  public var step: Step { Step(.shell(arguments)) }
}
