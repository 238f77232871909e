/// An environment variable of the stage, for values that extend what the base image has.
///
/// ```swift
/// Env("PATH", "/opt/venv/bin:\(Variable("PATH"))")
/// ```
public struct Variable: Hashable, Sendable {
  /// The name without `$`.
  public let name: String

  /// Refers to a variable by its name.
  public init(_ name: String) {
    self.name = name
  }
}
