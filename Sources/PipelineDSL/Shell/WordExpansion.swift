/// Expands `$name` and `${name…}` in operands, as BuildKit's `shell/lex.go` does.
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
  public func expand(_ word: Word) throws(Diagnostic) -> String {
    throw Diagnostic("expansion is being written")
  }

  /// The values of a word that may split at unquoted blanks, as in `EXPOSE` (V6).
  public func expandToList(_ word: Word) throws(Diagnostic) -> [String] {
    throw Diagnostic("expansion is being written")
  }

  /// A here-document body: variables replaced, quotes kept (V9).
  ///
  /// The escape is always a backslash.
  public func expandHeredoc(_ body: String) throws(Diagnostic) -> String {
    throw Diagnostic("expansion is being written")
  }

  /// The names of the variables a word refers to, in order of first use.
  public static func names(in word: Word, escape: Unicode.Scalar = "\\") -> [String] {
    []
  }
}
