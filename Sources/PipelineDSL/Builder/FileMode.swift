/// The permissions that copied files get: `--chmod`.
///
/// ```swift
/// Copy("run.sh", to: "/usr/bin/").withMode(0o755)
/// Copy("site", to: "/var/www").withMode("u=rwX,go=rX")
/// ```
public struct FileMode: Hashable, Sendable, ExpressibleByIntegerLiteral,
  ExpressibleByStringInterpolation
{
  let word: Word

  /// Takes permission bits, written in octal.
  public init(integerLiteral value: UInt16) {
    word = Word(literal: String(value, radix: 8))
  }

  /// Takes a symbolic mode.
  public init(stringLiteral value: String) {
    word = Word(literal: value)
  }

  /// Takes a symbolic mode with variables in it.
  public init(stringInterpolation: Word.StringInterpolation) {
    word = Word(stringInterpolation: stringInterpolation)
  }
}
