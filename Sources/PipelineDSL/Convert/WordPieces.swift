/// What a word says, whatever way it is spelled: text, and references to variables.
struct WordPieces: Hashable {
  enum Piece: Hashable {
    case text(String)
    case reference(String)
  }

  private(set) var pieces: [Piece] = []

  /// Reads a word; nil where it has more than plain references, or cannot be expanded.
  init?(_ word: Word, escape: Unicode.Scalar) {
    var scalars = word.raw.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "'":
        guard let end = scalars.firstIndex(of: "'") else { return nil }
        append(String(scalars[..<end]))
        scalars = scalars[scalars.index(after: end)...]
      case "\"":
        guard readQuoted(&scalars, escape) else { return nil }
      case "$":
        guard readReference(&scalars) else { return nil }
      case escape:
        if let next = scalars.popFirst() { append(String(next)) }
      default: append(String(scalar))
      }
    }
  }

  private mutating func readQuoted(
    _ scalars: inout Substring.UnicodeScalarView, _ escape: Unicode.Scalar
  ) -> Bool {
    append("")
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"": return true
      case "$":
        guard readReference(&scalars) else { return false }
      case escape:
        guard let next = scalars.first else { continue }
        if next == "\"" || next == "$" || next == escape {
          scalars.removeFirst()
          append(String(next))
        } else {
          append(String(scalar))
        }
      default: append(String(scalar))
      }
    }
    return false
  }

  private mutating func readReference(_ scalars: inout Substring.UnicodeScalarView) -> Bool {
    let hasBrace = scalars.first == "{"
    let rest = hasBrace ? scalars.dropFirst() : scalars
    let name = rest.prefix { $0 == "_" || $0.properties.isAlphabetic || Self.isDigit($0) }
    guard let first = name.first else {
      if hasBrace { return false }
      // Before anything that starts no name, '$' is text (V4).
      guard scalars.first.map({ !"@*#?-$!".unicodeScalars.contains($0) }) ?? true else {
        return false
      }
      append("$")
      return true
    }
    guard !Self.isDigit(first) else { return false }
    scalars = rest.dropFirst(name.count)
    if hasBrace {
      guard scalars.popFirst() == "}" else { return false }
    }
    pieces.append(.reference(String(name)))
    return true
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType == .decimal
  }

  private mutating func append(_ text: String) {
    if case .text(let before) = pieces.last {
      pieces[pieces.count - 1] = .text(before + text)
    } else if !text.isEmpty {
      pieces.append(.text(text))
    }
  }

  /// The spelling that the builder gives to the same pieces.
  var word: Word { Word(stringInterpolation: interpolation) }

  /// The pieces as a literal in Swift has them.
  var interpolation: Word.StringInterpolation {
    var interpolation = Word.StringInterpolation(literalCapacity: 0, interpolationCount: 0)
    for piece in pieces {
      switch piece {
      case .text(let text): interpolation.appendLiteral(text)
      case .reference(let name): interpolation.appendInterpolation(Variable(name))
      }
    }
    return interpolation
  }

  /// The text, nil where there are references.
  var literal: String? {
    if pieces.isEmpty { return "" }
    guard case .text(let text) = pieces[0], pieces.count == 1 else { return nil }
    return text
  }
}
