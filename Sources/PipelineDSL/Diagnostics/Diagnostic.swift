/// Something to tell the user: what happened, where, and what to do about it.
///
/// Text is made from it by ``DiagnosticRenderer``; tests and JSON output see the fields.
public struct Diagnostic: Error, Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable {
    case error
    case warning
    case note
  }

  /// A second place that helps to understand the first, such as a declaration.
  public struct Note: Hashable, Sendable {
    public var message: String
    public var location: SourceLocation?

    /// Creates a note, with a place when there is one to show.
    public init(_ message: String, at location: SourceLocation? = nil) {
      self.message = message
      self.location = location
    }
  }

  public var severity: Severity
  /// The rule's identifier where a rule found it, such as `StageNameCasing`.
  public var id: String?
  /// What is wrong, in lower case, with the user's own words in single quotes.
  public var message: String
  public var location: SourceLocation?
  /// A few words printed beside the caret.
  public var label: String?
  public var notes: [Note]
  /// What to do, as one sentence without the word "help".
  public var help: String?

  /// Creates a diagnostic; the severity is an error unless said otherwise.
  public init(
    _ message: String, severity: Severity = .error, id: String? = nil,
    at location: SourceLocation? = nil, label: String? = nil, notes: [Note] = [],
    help: String? = nil
  ) {
    self.severity = severity
    self.id = id
    self.message = message
    self.location = location
    self.label = label
    self.notes = notes
    self.help = help
  }
}

/// Several diagnostics that together reject an input.
public struct Diagnostics: Error, Hashable, Sendable {
  public var all: [Diagnostic]

  /// Creates the error from what was found.
  public init(_ all: [Diagnostic]) {
    self.all = all
  }
}
