/// Chooses the directory that the following steps and the container start in: `WORKDIR`.
///
/// ```swift
/// WorkingDirectory("/src")
/// ```
public struct WorkingDirectory: SingleStep {
  private let path: Word

  /// Enters a directory, which is made where it is missing.
  public init(_ path: Word) {
    self.path = path
  }

  public var step: Step { Step(.workingDirectory(path)) }
}
