/// Why something of a Dockerfile has no counterpart in a Swift declaration.
struct InexpressibleError: Error {
  var reason: String
}

/// Spells words and the values made of them.
struct SwiftWords {
  /// The escape character of the Dockerfile; Swift declarations have the backslash.
  let escape: Unicode.Scalar

  /// A word where a `Word` is expected.
  func word(_ word: Word) throws(InexpressibleError) -> String {
    if let pieces = WordPieces(word, escape: escape) { return Self.literal(pieces) }
    guard escape == "\\" || !word.raw.unicodeScalars.contains(where: { $0 == escape || $0 == "\\" })
    else {
      throw InexpressibleError(
        reason: "'\(word.raw)' depends on the escape character \(escape)")
    }
    return "Word(raw: \(SwiftLiteral.string(word.raw)))"
  }

  /// Words as arguments of a call.
  func words(_ words: [Word]) throws(InexpressibleError) -> [String] {
    var spelled: [String] = []
    for word in words { spelled.append(try self.word(word)) }
    return spelled
  }

  /// What a word says where it is fixed text.
  func text(_ word: Word) -> String? { WordPieces(word, escape: escape)?.literal }

  static func literal(_ pieces: WordPieces) -> String {
    if let text = pieces.literal { return SwiftLiteral.string(text) }
    return interpolated(pieces) { "Variable(\(SwiftLiteral.string($0)))" }
  }

  /// A literal in which each reference is interpolated.
  static func interpolated(_ pieces: WordPieces, reference: (String) -> String) -> String {
    var literal = "\""
    for piece in pieces.pieces {
      switch piece {
      case .text(let text): literal += SwiftLiteral.escapedContent(text)
      case .reference(let name): literal += "\\(\(reference(name)))"
      }
    }
    return literal + "\""
  }

  func assignments(_ assignments: Assignments) throws(InexpressibleError) -> String {
    var elements: [String] = []
    for assignment in assignments.all {
      elements.append(
        "Assignment(\(try word(assignment.name)), \(try word(assignment.value)))")
    }
    let form = assignments.isLegacyForm ? ", isLegacyForm: true" : ""
    return "Assignments([\(elements.joined(separator: ", "))]\(form))"
  }

  static func strings(_ values: [String]) -> String {
    "[" + values.map(SwiftLiteral.string).joined(separator: ", ") + "]"
  }

  static func heredoc(_ heredoc: Heredoc) -> String {
    var arguments = [
      "name: \(SwiftLiteral.string(heredoc.name))", "body: \(SwiftLiteral.text(heredoc.body))",
    ]
    if !heredoc.expands { arguments.append("expands: false") }
    if heredoc.stripsTabs { arguments.append("stripsTabs: true") }
    if let descriptor = heredoc.fileDescriptor {
      arguments.append("fileDescriptor: \(descriptor)")
    }
    return SwiftCode("Heredoc", arguments).text
  }

  func sources(_ sources: [CopySource]) throws(InexpressibleError) -> String {
    var elements: [String] = []
    for source in sources {
      switch source {
      case .path(let path): elements.append(".path(\(try word(path)))")
      case .heredoc(let heredoc):
        elements.append(SwiftCode(".heredoc", [Self.heredoc(heredoc)]).text)
      }
    }
    return SwiftCode.list(elements)
  }

  static func command(_ command: CommandLine) -> String {
    switch command {
    case .shell(let text): ".shell(\(SwiftLiteral.string(text)))"
    case .exec(let arguments): ".exec(\(strings(arguments)))"
    }
  }
}
