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
  let problem: Diagnostic?

  /// Takes permission bits, written in octal.
  public init(integerLiteral value: UInt16) {
    word = Word(literal: String(value, radix: 8))
    problem = Self.problem(of: value)
  }

  /// Takes a symbolic mode.
  public init(stringLiteral value: String) {
    word = Word(literal: value)
    problem = nil
  }

  /// Takes a symbolic mode with variables in it.
  public init(stringInterpolation: Word.StringInterpolation) {
    word = Word(stringInterpolation: stringInterpolation)
    problem = nil
  }

  /// Decimal numbers that were meant as octal, and what is out of range.
  ///
  /// 755 is 0o1363: a sticky bit with permissions that nobody gives.
  private static func problem(of value: UInt16) -> Diagnostic? {
    let meant: Set<UInt16> = [
      550, 555, 600, 640, 644, 660, 664, 666, 700, 711, 740, 744, 750, 755, 770, 775, 777,
    ]
    if meant.contains(value) {
      return Diagnostic(
        "the mode \(value) is a decimal number", help: "write '0o\(value)' for the octal one")
    }
    guard value <= 0o7777 else {
      return Diagnostic(
        "the mode 0o\(String(value, radix: 8)) has more than four octal digits",
        help: "the largest mode is 0o7777")
    }
    return nil
  }
}
