/// Makes text of diagnostics: position, excerpt, caret, notes and help.
///
/// ```
/// error: stage 'web' copies from 'assets', which is declared later
///   --> Dockerfile:14:13
/// 14 | COPY --from=assets /app /app
///    |             ^^^^^^ must be declared before 'web'
/// note: 'assets' is declared here
///   --> Dockerfile:21:1
/// ```
public struct DiagnosticRenderer {
  /// The bytes of the file a location is in, nil where they cannot be had.
  public var source: (SourceLocation) -> [UInt8]?

  /// Creates a renderer that takes excerpts from `source`.
  public init(source: @escaping (SourceLocation) -> [UInt8]?) {
    self.source = source
  }

  /// A diagnostic as lines of text, the last one ended by a line feed.
  public func render(_ diagnostic: Diagnostic) -> String {
    var text = heading(diagnostic.severity.rawValue, diagnostic.message, id: diagnostic.id)
    if let location = diagnostic.location {
      text += place(location)
      let excerpt = source(location).flatMap {
        SourceExcerpt($0, at: location, label: diagnostic.label)
      }
      text += excerpt?.text ?? ""
    }
    for note in diagnostic.notes {
      text += heading("note", note.message, id: nil)
      if let location = note.location { text += place(location) }
    }
    if let help = diagnostic.help { text += heading("help", help, id: nil) }
    return text
  }

  private func heading(_ severity: String, _ message: String, id: String?) -> String {
    "\(severity): \(DisplayText.message(message))\(id.map { " [\($0)]" } ?? "")\n"
  }

  private func place(_ location: SourceLocation) -> String {
    let name = DisplayText.message(location.file)
    return location.line > 0
      ? "  --> \(name):\(location.line):\(location.column)\n" : "  --> \(name)\n"
  }
}
