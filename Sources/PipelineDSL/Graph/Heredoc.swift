/// A here-document: a name, a body, and how the body is to be read (BuildKit rule L12).
public struct Heredoc: Hashable, Sendable {
  /// The word between `<<` and the line's end, without quotes.
  public var name: String
  /// The body as written, every line with its line feed; tabs are still there for `<<-`.
  public var body: String
  /// False when any part of the name was quoted: then `$` means nothing in the body.
  public var expands: Bool
  /// True for `<<-`: leading tabs are removed from body lines and terminator.
  public var stripsTabs: Bool
  /// The file descriptor written before `<<`, where there was one.
  public var fileDescriptor: Int?

  /// Creates a here-document; bodies expand unless told otherwise, as in a shell.
  public init(
    name: String, body: String, expands: Bool = true, stripsTabs: Bool = false,
    fileDescriptor: Int? = nil
  ) {
    self.name = name
    self.body = body
    self.expands = expands
    self.stripsTabs = stripsTabs
    self.fileDescriptor = fileDescriptor
  }
}
