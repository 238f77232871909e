extension WordExpansion {
  /// Reads a word once from left to right and puts its value together.
  struct Reader {
    /// What cannot be expanded, without the word it is in.
    struct Failure: Error {
      var reason: String
      var help: String?

      init(_ reason: String, help: String? = nil) {
        self.reason = reason
        self.help = help
      }
    }

    /// Deeper nesting is refused: every level takes its part of the stack.
    static let deepest = 100
    /// Longer values are refused: thirty lines of `ENV A=$A$A` would take all memory.
    static let largest = 16 << 20

    /// The variables that were looked up so far.
    private(set) var references: [Reference] = []
    /// What the word came to so far, split at unquoted blanks.
    var words = WordList()

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private let escape: Unicode.Scalar
    private let readsQuotes: Bool
    private let lookup: (String) -> String?
    private var depth = 0
    private var produced = 0
    /// Where the outermost substitution or quotation in work begins, to show it in an error.
    private var opening = 0

    init(
      _ text: String, escape: Unicode.Scalar, readsQuotes: Bool = true,
      lookup: @escaping (String) -> String?
    ) {
      scalars = Array(text.unicodeScalars)
      self.escape = escape
      self.readsQuotes = readsQuotes
      self.lookup = lookup
    }

    /// The value of the whole text.
    mutating func readAll() throws(Diagnostic) -> String {
      do {
        return try read(until: nil, keepsEscapes: false)
      } catch {
        throw Diagnostic("failed to process '\(excerpt)': \(error.reason)", help: error.help)
      }
    }

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func next() -> Unicode.Scalar? {
      guard index < scalars.count else { return nil }
      defer { index += 1 }
      return scalars[index]
    }

    /// The word as an error shows it: whole if it is short, else from where the trouble begins.
    private var excerpt: String {
      let longest = 72
      let isShort = scalars.count <= longest && !scalars.contains("\n")
      var text = ""
      guard !isShort else {
        text.unicodeScalars.append(contentsOf: scalars)
        return text
      }
      let line = scalars[min(opening, scalars.count)...].prefix { $0 != "\n" }
      text.unicodeScalars.append(contentsOf: line.prefix(longest))
      let isCut = line.count > longest || line.endIndex < scalars.count
      return (opening > 0 ? "…" : "") + text + (isCut ? "…" : "")
    }

    // MARK: - Words

    /// Reads up to a stop character, which is consumed, or to the end where there is none.
    ///
    /// Patterns keep their escapes, which mean something in them (V3).
    private mutating func read(
      until stop: Unicode.Scalar?, keepsEscapes: Bool
    ) throws(Failure) -> String {
      depth += 1
      defer { depth -= 1 }
      guard depth <= Self.deepest else {
        throw Failure("substitutions are nested more than \(Self.deepest) deep")
      }
      var result = ""
      while let scalar = peek {
        if depth == 1 { opening = index }
        if scalar == stop {
          index += 1
          return result
        }
        switch scalar {
        case "$":
          let value = try substitution(keepsEscapes: keepsEscapes)
          result += value
          if depth == 1 { words.add(value) }
        case "'" where readsQuotes:
          let value = try singleQuotation()
          result += value
          if depth == 1 { words.addQuoted(value) }
        case "\"" where readsQuotes:
          let value = try doubleQuotation(keepsEscapes: keepsEscapes)
          result += value
          if depth == 1 { words.addQuoted(value) }
        case escape:
          index += 1
          if keepsEscapes { result.unicodeScalars.append(escape) }
          guard let escaped = next() else { break }
          result.unicodeScalars.append(escaped)
          if depth == 1 { words.addQuoted(String(escaped)) }
        default:
          index += 1
          result.unicodeScalars.append(scalar)
          if depth == 1 { words.add(scalar) }
        }
      }
      guard stop == nil else { throw Self.missing(stop == "/" ? "/" : "}") }
      return result
    }

    private static func missing(_ character: String) -> Failure {
      Failure("syntax error: missing '\(character)'\(character == "/" ? " in ${}" : "")")
    }

    private mutating func singleQuotation() throws(Failure) -> String {
      index += 1
      var result = ""
      while let scalar = next() {
        if scalar == "'" { return result }
        result.unicodeScalars.append(scalar)
      }
      throw unclosed("single-quote", "'")
    }

    /// Inside double quotes the escape acts only before `"`, `$` and itself (V5).
    private mutating func doubleQuotation(keepsEscapes: Bool) throws(Failure) -> String {
      index += 1
      var result = ""
      while let scalar = peek {
        switch scalar {
        case "\"":
          index += 1
          return result
        case "$": result += try substitution(keepsEscapes: keepsEscapes)
        case escape:
          index += 1
          if keepsEscapes { result.unicodeScalars.append(escape) }
          guard let escaped = peek else { continue }
          if escaped == "\"" || escaped == "$" || escaped == escape {
            index += 1
            result.unicodeScalars.append(escaped)
          } else {
            result.unicodeScalars.append(escape)
          }
        default:
          index += 1
          result.unicodeScalars.append(scalar)
        }
      }
      throw unclosed("double-quote", "\"")
    }

    private func unclosed(_ name: String, _ quote: String) -> Failure {
      Failure(
        "unexpected end of statement while looking for matching \(name)",
        help: "close the quote, or write \(escape)\(quote) for the character itself")
    }

    // MARK: - Substitutions

    private mutating func substitution(keepsEscapes: Bool) throws(Failure) -> String {
      index += 1
      guard peek == "{" else {
        let name = readName()
        return name.isEmpty ? "$" : try bounded(value(of: name) ?? "")
      }
      index += 1
      switch peek {
      case nil: throw Self.missing("}")
      case "{", "}", ":": throw Failure("syntax error: bad substitution")
      default: break
      }
      let name = readName()
      guard let modifier = next() else { throw Self.missing("}") }
      switch modifier {
      case "}": return try bounded(value(of: name) ?? "")
      case "/": return try replacement(in: name)
      case ":":
        guard let second = next() else { throw Self.missing("}") }
        return try modified(name, by: second, emptyIsUnset: true)
      default: return try modified(name, by: modifier, emptyIsUnset: false)
      }
    }

    /// The forms that are a modifier and a word, up to the closing brace.
    private mutating func modified(
      _ name: String, by modifier: Unicode.Scalar, emptyIsUnset: Bool
    ) throws(Failure) -> String {
      let isTrimming = modifier == "#" || modifier == "%"
      let isKnown = isTrimming || modifier == "-" || modifier == "+" || modifier == "?"
      guard isKnown, !(isTrimming && emptyIsUnset) else {
        throw Failure(
          "unsupported modifier (\(emptyIsUnset ? ":" : "")\(modifier)) in substitution",
          help: "the forms are ${x-w} ${x:-w} ${x+w} ${x:+w} ${x?w} ${x:?w} ${x#p} ${x##p} "
            + "${x%p} ${x%%p} ${x/p/r} ${x//p/r}")
      }
      // The word is read first: what fails in it fails even where it is not used (V1).
      let word = try read(until: "}", keepsEscapes: isTrimming)
      let value = value(of: name, isGuarded: !isTrimming)
      if isTrimming {
        return try bounded(trim(value ?? "", word, fromStart: modifier == "#"))
      }
      let isMissing = value == nil || (emptyIsUnset && value == "")
      switch modifier {
      case "-": return try bounded(isMissing ? word : value ?? "")
      case "+": return try bounded(isMissing ? "" : word)
      default:
        guard isMissing else { return try bounded(value ?? "") }
        let complaint = value == nil ? "is not allowed to be unset" : "is not allowed to be empty"
        throw Failure("\(name): \(word.isEmpty ? complaint : word)")
      }
    }

    private func trim(
      _ value: String, _ word: String, fromStart: Bool
    ) throws(Failure) -> String {
      var text = Array(word.unicodeScalars)[...]
      let isLongest = text.first == (fromStart ? "#" : "%")
      if isLongest { text.removeFirst() }
      var pattern = try Self.pattern(text)
      var subject = Array(value.unicodeScalars)
      if !fromStart {
        pattern = pattern.reversed
        subject.reverse()
      }
      guard let end = pattern.prefixEnd(in: subject, isLongest: isLongest) else { return value }
      var rest = ""
      if fromStart {
        rest.unicodeScalars.append(contentsOf: subject[end...])
      } else {
        rest.unicodeScalars.append(contentsOf: subject[end...].reversed())
      }
      return rest
    }

    private mutating func replacement(in name: String) throws(Failure) -> String {
      let replacesAll = peek == "/"
      if replacesAll { index += 1 }
      let text = try read(until: "/", keepsEscapes: true)
      let replacement = try read(until: "}", keepsEscapes: true)
      let value = value(of: name) ?? ""
      let pattern = try Self.pattern(Array(text.unicodeScalars)[...])
      let room = Self.largest - produced
      guard
        let result = pattern.replacing(
          in: Array(value.unicodeScalars), with: replacement, all: replacesAll, limit: room)
      else { throw Self.tooLarge }
      return try bounded(result)
    }

    private static func pattern(
      _ text: ArraySlice<Unicode.Scalar>
    ) throws(Failure) -> WordExpansion.Pattern {
      do {
        return try WordExpansion.Pattern(text)
      } catch {
        var shown = ""
        shown.unicodeScalars.append(contentsOf: text)
        throw Failure(
          "invalid pattern (\(shown)) in substitution: \(error.reason)", help: error.help)
      }
    }

    // MARK: - Names and values

    /// A name: letters, digits and `_`; only digits after a digit; or one special character (V4).
    private mutating func readName() -> String {
      guard let first = peek else { return "" }
      var name = ""
      if Self.isDigit(first) {
        while let scalar = peek, Self.isDigit(scalar) {
          name.unicodeScalars.append(scalar)
          index += 1
        }
        return name
      }
      if "@*#?-$!".unicodeScalars.contains(first) {
        index += 1
        return String(first)
      }
      while let scalar = peek, scalar == "_" || Self.isLetter(scalar) || Self.isDigit(scalar) {
        name.unicodeScalars.append(scalar)
        index += 1
      }
      return name
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
      scalar.isASCII
        ? ("0"..."9").contains(scalar) : scalar.properties.generalCategory == .decimalNumber
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
      if scalar.isASCII { return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) }
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        return true
      default: return false
      }
    }

    private mutating func value(of name: String, isGuarded: Bool = false) -> String? {
      guard !name.isEmpty else { return nil }
      references.append(Reference(name, isGuarded: isGuarded))
      return lookup(name)
    }

    private mutating func bounded(_ value: String) throws(Failure) -> String {
      produced += value.utf8.count
      guard produced <= Self.largest else { throw Self.tooLarge }
      return value
    }

    private static var tooLarge: Failure {
      Failure("the value would be larger than \(largest >> 20) MiB")
    }
  }
}
