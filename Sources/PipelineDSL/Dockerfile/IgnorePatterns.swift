/// The patterns of a `.dockerignore` file or of `--exclude` (section 8 of the reference).
public struct IgnorePatterns: Sendable {
  /// Patterns as written that survived, for display.
  public let lines: [String]

  /// Compiles patterns once; matching then allocates nothing per path.
  ///
  /// - Throws: a diagnostic at the line of a malformed pattern or a lone `!` (I2).
  public init(file bytes: [UInt8], name: String, path: String = "") throws(Diagnostic) {
    lines = []
  }

  /// Compiles the values of `--exclude`.
  public init(excludes: [String], at location: SourceLocation?) throws(Diagnostic) {
    lines = []
  }

  /// True where nothing can match.
  public var isEmpty: Bool { lines.isEmpty }

  /// True where any pattern starts with `!`, so that an excluded directory must still be walked.
  public var hasExceptions: Bool { false }

  /// Whether a path, relative with `/` between components and no leading one, is excluded.
  ///
  /// A path is also excluded by a pattern that matches one of its parents (I3).
  public func excludes(_ path: [UInt8]) -> Bool { false }
}
