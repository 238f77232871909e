/// Makes text of diagnostics: position, excerpt, caret, notes and help.
public struct DiagnosticRenderer {
  /// The text of the file a location is in, nil where it cannot be had.
  public var source: (SourceLocation) -> String?

  /// Creates a renderer that takes excerpts from `source`.
  public init(source: @escaping (SourceLocation) -> String?) {
    self.source = source
  }

  /// A diagnostic as lines of text, the last one ended by a line feed.
  public func render(_ diagnostic: Diagnostic) -> String {
    "\(diagnostic.severity.rawValue): \(diagnostic.message)\n"
  }
}
