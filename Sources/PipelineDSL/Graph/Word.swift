/// One operand of an instruction as a Dockerfile spells it: quotes, escapes and `$` still in place.
///
/// Both front ends meet here. What the parser reads is kept as written; what Swift code gives is a
/// literal value, spelled so that expansion yields exactly that value. The escape character in
/// `raw` is the one the graph's directives declare.
public struct Word: Hashable, Sendable {
  /// The text as a Dockerfile has it.
  public var raw: String
  /// What the DSL inserted by name; known from `raw` too, so no part of equality.
  var references: [Reference] = []

  /// Wraps text that is already in Dockerfile spelling.
  public init(raw: String) {
    self.raw = raw
  }

  /// Spells a value so that expansion yields it unchanged, whatever characters it holds.
  ///
  /// The rule is that of double quotes in `shell/lex.go` (V5 in the reference): inside them the
  /// escape character acts only before `"`, `$` and itself.
  public init(literal value: String) {
    let needsQuotes = value.utf8.contains { !Self.isPlain($0) } || value.isEmpty
    guard needsQuotes else {
      raw = value
      return
    }
    var spelled = "\""
    for scalar in value.unicodeScalars {
      if scalar == "\"" || scalar == "$" || scalar == "\\" { spelled.unicodeScalars.append("\\") }
      spelled.unicodeScalars.append(scalar)
    }
    raw = spelled + "\""
  }

  public static func == (left: Word, right: Word) -> Bool { left.raw == right.raw }

  public func hash(into hasher: inout Hasher) { hasher.combine(raw) }

  /// Bytes that mean themselves outside quotes in every position.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"),
      UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "`"),
      UInt8(ascii: "$"):
      false
    default: true
    }
  }
}

extension Word: ExpressibleByStringLiteral {
  /// Takes the literal as a value, not as Dockerfile text.
  public init(stringLiteral value: String) {
    self.init(literal: value)
  }
}
