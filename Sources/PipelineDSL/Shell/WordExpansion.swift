/// Expands `$name` and `${name…}` in operands, as BuildKit's `shell/lex.go` does.
///
/// Time is linear in the word and in the values put into it; a word made to grow without bounds, or
/// nested without end, is refused.
public struct WordExpansion {
  public var escape: Unicode.Scalar
  /// The value of a variable, nil where it is unset.
  public var lookup: (String) -> String?

  /// Creates an expansion over an environment.
  public init(escape: Unicode.Scalar = "\\", lookup: @escaping (String) -> String?) {
    self.escape = escape
    self.lookup = lookup
  }

  /// The value of a word: variables replaced, quotes and escapes removed (V1–V5).
  ///
  /// - Throws: a diagnostic without a place for what cannot be expanded (V2), and for a `${x:?…}`.
  public func expand(_ word: Word) throws(Diagnostic) -> String {
    var reader = Reader(word.raw, escape: escape, lookup: lookup)
    return try reader.readAll()
  }

  /// The values of a word that may split at unquoted blanks, as in `EXPOSE` (V6).
  ///
  /// Splitting happens after variables are replaced, so that one variable can hold several ports.
  ///
  /// - Throws: as ``expand(_:)``.
  public func expandToList(_ word: Word) throws(Diagnostic) -> [String] {
    var reader = Reader(word.raw, escape: escape, lookup: lookup)
    _ = try reader.readAll()
    return reader.words.finish()
  }

  /// A here-document body: variables replaced, quotes kept (V9).
  ///
  /// The escape is always a backslash.
  ///
  /// - Throws: as ``expand(_:)``.
  public func expandHeredoc(_ body: String) throws(Diagnostic) -> String {
    var reader = Reader(body, escape: "\\", readsQuotes: false, lookup: lookup)
    return try reader.readAll()
  }

  /// A variable that a word refers to.
  public struct Reference: Hashable, Sendable {
    public var name: String
    /// Whether the word itself says what is to happen when the variable is unset, as `${x:-w}` does.
    public var isGuarded: Bool

    /// Creates a reference.
    public init(_ name: String, isGuarded: Bool = false) {
      self.name = name
      self.isGuarded = isGuarded
    }
  }

  /// The variables a word refers to, in the order in which they are looked up.
  ///
  /// What cannot be expanded gives the variables up to the mistake.
  public static func references(
    in word: Word, escape: Unicode.Scalar = "\\"
  ) -> [Reference] {
    references(in: word.raw, escape: escape, readsQuotes: true)
  }

  /// The variables that the body of a here-document refers to (V9).
  public static func references(inHeredoc body: String) -> [Reference] {
    references(in: body, escape: "\\", readsQuotes: false)
  }

  /// The names of the variables a word refers to, in order of first use.
  public static func names(in word: Word, escape: Unicode.Scalar = "\\") -> [String] {
    var seen: Set<String> = []
    return references(in: word, escape: escape).map(\.name).filter { seen.insert($0).inserted }
  }

  private static func references(
    in text: String, escape: Unicode.Scalar, readsQuotes: Bool
  ) -> [Reference] {
    // Every variable is set, so that no `${x:?}` ends the reading.
    var reader = Reader(text, escape: escape, readsQuotes: readsQuotes) { _ in "x" }
    _ = try? reader.readAll()
    return reader.references
  }
}
