/// Says which directories hold data that outlives a container: `VOLUME`.
///
/// ```swift
/// Volume("/var/lib/postgresql/data")
/// ```
public struct Volume: SingleStep {
  private let paths: [Word]

  /// Declares volumes by their paths.
  public init(_ paths: Word...) {
    self.paths = paths.map(\.asOperand)
  }

  public var step: Step { Step(.volume(paths)) }
}
