/// A word that introduces a here-document, such as `<<EOF` or `3<<-"END"` (L12).
struct HeredocWord: Equatable {
  var name: String
  var expands: Bool
  var stripsTabs: Bool
  var fileDescriptor: Int?

  init(name: String, expands: Bool, stripsTabs: Bool, fileDescriptor: Int?) {
    self.name = name
    self.expands = expands
    self.stripsTabs = stripsTabs
    self.fileDescriptor = fileDescriptor
  }

  /// Reads a word; nil where it introduces nothing.
  init?(_ word: some StringProtocol) {
    let scalars = Array(word.unicodeScalars)
    var index = 0
    while index < scalars.count, ("0"..."9").contains(scalars[index]) { index += 1 }
    let digits = index
    guard index + 1 < scalars.count, scalars[index] == "<", scalars[index + 1] == "<" else {
      return nil
    }
    index += 2
    stripsTabs = index < scalars.count && scalars[index] == "-"
    if stripsTabs { index += 1 }
    while index < scalars.count, " \t\u{0C}\r\n".unicodeScalars.contains(scalars[index]) {
      index += 1
    }
    guard index < scalars.count, !scalars[index...].contains("<") else { return nil }
    var lexer = HeredocLexer(scalars[index...], keepsQuotes: false, keepsEscapes: false)
    guard let words = lexer.words(), let word = words.first, words.count == 1 else { return nil }
    name = word
    var quoting = HeredocLexer(scalars[index...], keepsQuotes: true, keepsEscapes: false)
    // Any quote that is gone from the name was there to switch expansion off.
    expands = Self.quotes(in: quoting.words()?.first ?? "") == Self.quotes(in: word)
    if digits > 0 {
      let text = String(String.UnicodeScalarView(scalars[..<digits]))
      fileDescriptor = Int(text) ?? .max
    }
  }

  private static func quotes(in word: String) -> Int {
    word.utf8.count { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
  }

  /// The words of a whole line that introduce here-documents, in order.
  static func all(in line: String) -> [HeredocWord] {
    guard line.utf8.contains(UInt8(ascii: "<")) else { return [] }
    var lexer = HeredocLexer(
      Array(line.unicodeScalars)[...], keepsQuotes: true, keepsEscapes: true)
    return (lexer.words() ?? []).compactMap { HeredocWord($0) }
  }
}

/// Splits a line into words as `shell/lex.go` does when no variable is set and none is replaced.
///
/// The escape character is a backslash whatever the directive says (L12). What that lexer refuses,
/// such as `${x,,}` or a quote without an end, has no words, and so introduces no here-document.
private struct HeredocLexer {
  /// How deep `${a:-${b:-…}}` may nest: more is taken for text that introduces nothing.
  private static let deepest = 100

  private let scalars: ArraySlice<Unicode.Scalar>
  private let keepsQuotes: Bool
  private var keepsEscapes: Bool
  private var index: Int

  private struct Failure: Error {}

  init(_ scalars: ArraySlice<Unicode.Scalar>, keepsQuotes: Bool, keepsEscapes: Bool) {
    self.scalars = scalars
    self.keepsQuotes = keepsQuotes
    self.keepsEscapes = keepsEscapes
    index = scalars.startIndex
  }

  private struct Words {
    var all: [String] = []
    private var current = ""
    private var isInWord = false

    mutating func add(_ scalar: Unicode.Scalar) {
      guard scalar.properties.isWhitespace, !awaitsHeredocName else { return addRaw(scalar) }
      guard isInWord, !current.isEmpty else { return }
      all.append(current)
      current = ""
      isInWord = false
    }

    /// Blanks after a bare `<<` belong to its word: BuildKit finds the name behind them, be it in
    /// `$((1 << 4))`.
    private var awaitsHeredocName: Bool {
      guard current.utf8.contains(UInt8(ascii: "<")) else { return false }
      let rest = current.unicodeScalars.drop { ("0"..."9").contains($0) }
      return rest.starts(with: "<<".unicodeScalars)
        && rest.dropFirst(2).allSatisfy(\.properties.isWhitespace)
    }

    mutating func addRaw(_ scalar: Unicode.Scalar) {
      current.unicodeScalars.append(scalar)
      isInWord = true
    }

    mutating func addRaw(_ text: String) {
      current += text
      isInWord = true
    }

    func finished() -> [String] { current.isEmpty ? all : all + [current] }
  }

  /// The words, nil where the text cannot be split.
  mutating func words() -> [String]? {
    do {
      return try read(until: nil, depth: 0).words
    } catch {
      return nil
    }
  }

  private var next: Unicode.Scalar? { index < scalars.endIndex ? scalars[index] : nil }

  private mutating func take() -> Unicode.Scalar? {
    guard let scalar = next else { return nil }
    index += 1
    return scalar
  }

  private mutating func read(
    until end: Unicode.Scalar?, depth: Int
  ) throws(Failure) -> (text: String, words: [String]) {
    guard depth < Self.deepest else { throw Failure() }
    var text = ""
    var words = Words()
    while let scalar = next {
      if scalar == end {
        index += 1
        return (text, words.finished())
      }
      switch scalar {
      case "$":
        let value = try readDollar(depth: depth)
        text += value
        for part in value.unicodeScalars { words.add(part) }
      case "'", "\"":
        let value = try readQuoted(scalar, depth: depth)
        text += value
        words.addRaw(value)
      case "\\":
        index += 1
        if keepsEscapes {
          text.unicodeScalars.append(scalar)
          words.addRaw(scalar)
        }
        if let escaped = take() {
          text.unicodeScalars.append(escaped)
          words.addRaw(escaped)
        }
      default:
        index += 1
        text.unicodeScalars.append(scalar)
        words.add(scalar)
      }
    }
    guard end == nil else { throw Failure() }
    return (text, words.finished())
  }

  private mutating func readQuoted(
    _ quote: Unicode.Scalar, depth: Int
  ) throws(Failure) -> String {
    index += 1
    var text = ""
    if keepsQuotes { text.unicodeScalars.append(quote) }
    while let scalar = next {
      if scalar == "$", quote == "\"" {
        text += try readDollar(depth: depth)
        continue
      }
      index += 1
      if scalar == quote {
        if keepsQuotes { text.unicodeScalars.append(quote) }
        return text
      }
      guard scalar == "\\", quote == "\"" else {
        text.unicodeScalars.append(scalar)
        continue
      }
      if keepsEscapes { text.unicodeScalars.append(scalar) }
      switch next {
      case nil: break
      case "\"", "$", "\\":
        if let escaped = take() { text.unicodeScalars.append(escaped) }
      default: text.unicodeScalars.append(scalar)
      }
    }
    throw Failure()
  }

  /// Reads `$name` or `${name…}` and spells it again: nothing is set, so nothing is replaced.
  private mutating func readDollar(depth: Int) throws(Failure) -> String {
    index += 1
    guard next == "{" else { return "$" + readName() }
    index += 1
    guard let first = next, first != "{", first != "}", first != ":" else { throw Failure() }
    let name = readName()
    guard var modifier = take() else { throw Failure() }
    if modifier == "}" { return "${\(name)}" }
    if modifier == "/" {
      let isForAll = next == "/"
      if isForAll { index += 1 }
      let pattern = try read(until: "/", keepingEscapes: true, depth: depth)
      let replacement = try read(until: "}", keepingEscapes: true, depth: depth)
      return "${\(name)/\(pattern)/\(replacement)}"
    }
    var spelled = String(modifier)
    if modifier == ":" {
      guard let second = take() else { throw Failure() }
      spelled.unicodeScalars.append(second)
      modifier = second
    } else if !"+-?#%".unicodeScalars.contains(modifier) {
      throw Failure()
    }
    let word = try read(
      until: "}", keepingEscapes: modifier == "#" || modifier == "%", depth: depth)
    return "${\(name)\(spelled)\(word)}"
  }

  private mutating func read(
    until end: Unicode.Scalar, keepingEscapes: Bool, depth: Int
  ) throws(Failure) -> String {
    let outer = keepsEscapes
    keepsEscapes = keepingEscapes
    defer { keepsEscapes = outer }
    return try read(until: end, depth: depth + 1).text
  }

  private mutating func readName() -> String {
    guard let first = next else { return "" }
    var name = ""
    if first.properties.numericType == .decimal {
      while let scalar = next, scalar.properties.numericType == .decimal {
        name.unicodeScalars.append(scalar)
        index += 1
      }
      return name
    }
    if "@*#?-$!".unicodeScalars.contains(first) {
      index += 1
      return String(first)
    }
    while let scalar = next,
      scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
    {
      name.unicodeScalars.append(scalar)
      index += 1
    }
    return name
  }
}
