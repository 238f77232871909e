extension Word {
  /// The word as `COPY`, `ADD` and `VOLUME` spell it best.
  ///
  /// They have a JSON form for operands with blanks, so quotes that only protect blanks go.
  var asOperand: Word {
    let inner = raw.dropFirst().dropLast()
    guard raw.utf8.count > 2, raw.hasPrefix("\""), raw.hasSuffix("\""),
      inner.unicodeScalars.allSatisfy({ !"\"'\\`$\n\r".unicodeScalars.contains($0) })
    else { return self }
    var word = self
    word.raw = String(inner)
    return word
  }

  /// Spells a path that has no wildcards, whatever characters it holds.
  ///
  /// COPY takes `*`, `?` and `[` for wildcards (C4); a class with one member means just that.
  init(exactPath path: String) {
    var pattern = ""
    for scalar in path.unicodeScalars {
      if scalar == "*" || scalar == "?" || scalar == "[" {
        pattern += "[\(scalar)]"
      } else {
        pattern.unicodeScalars.append(scalar)
      }
    }
    self = Word(literal: pattern).asOperand
  }
}
