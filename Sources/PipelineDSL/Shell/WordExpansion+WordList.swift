extension WordExpansion {
  /// A value that splits at blanks, except where these were quoted.
  struct WordList {
    private var finished: [String] = []
    private var current = ""

    mutating func add(_ scalar: Unicode.Scalar) {
      if scalar.properties.isWhitespace {
        endWord()
      } else {
        current.unicodeScalars.append(scalar)
      }
    }

    mutating func add(_ text: String) {
      for scalar in text.unicodeScalars { add(scalar) }
    }

    mutating func addQuoted(_ text: String) {
      current += text
    }

    /// All words; an empty one does not count, even if it was quoted.
    mutating func finish() -> [String] {
      endWord()
      return finished
    }

    private mutating func endWord() {
      guard !current.isEmpty else { return }
      finished.append(current)
      current = ""
    }
  }
}
