/// How far a line may reach before it is broken.
private let width = 96

extension InstructionPrinter {
  func refusal(_ message: String, help: String? = nil) -> Diagnostic {
    Diagnostic(message, at: location, help: help ?? "no Dockerfile can say this")
  }

  func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace }

  /// A flag and its value, quoted as the reader of flags unquotes it (L7).
  func flag(_ name: String, _ value: String) throws(Diagnostic) -> String {
    let scalars = value.unicodeScalars
    let isPlain = scalars.allSatisfy { $0 != "\"" && $0 != "'" && $0 != "\\" && !isBlank($0) }
    if isPlain { return "--\(name)=\(value)" }
    var spelled = "--\(name)=\""
    for scalar in scalars {
      // In flags a backslash is the escape character whatever the directive says.
      if scalar == "\"" || scalar == "\\" { spelled += "\\" }
      spelled.unicodeScalars.append(scalar)
    }
    return try checked(spelled + "\"")
  }

  /// A command as text for a shell or as a JSON array.
  func commandLine(
    _ command: CommandLine, after head: [String], heredocs: [Heredoc] = []
  ) throws(Diagnostic) -> String {
    switch command {
    case .exec(let arguments): return jsonForm(arguments, after: head)
    case .shell(let text):
      let layout = ShellTextLayout(escape: escape, width: width)
      if let reason = layout.refusal(of: text) { throw refusal(reason) }
      try check(heredocs, in: text, after: head)
      if text.isEmpty { return head.joined(separator: " ") }
      // A bare '--' ends the flags (L7).
      let words = text.hasPrefix("--") ? head + ["--"] : head
      let start = commandStart(words, text)
      let lines = breaksLines ? layout.broken(text, after: start) : text
      return try checked(start + " " + lines, allowsHeredoc: true) + (try bodies(of: heredocs))
    }
  }

  /// Keyword and flags, and a new line for the command where both do not fit on one.
  ///
  /// Blanks between flags and command mean nothing; a line that starts with `#` would vanish (L4).
  private func commandStart(_ words: [String], _ text: String) -> String {
    let start = flags(words)
    let fits = !start.contains("\n") && start.utf8.count + 1 + text.utf8.count <= width
    guard breaksLines, words.count > 1, !fits, !text.hasPrefix("#") else { return start }
    return start + " \(escape)\n   "
  }

  /// Refuses text whose here-documents are not those that the instruction has.
  private func check(
    _ heredocs: [Heredoc], in text: String, after head: [String]
  ) throws(Diagnostic) {
    guard head.first == "RUN" else { return }
    let line = (head + [text]).joined(separator: " ")
    let introduced = HeredocWord.all(in: line)
    guard introduced != heredocs.map(\.word) else { return }
    let names = introduced.map { "'\($0.name)'" }.joined(separator: ", ")
    throw refusal(
      names.isEmpty
        ? "a here-document is not named in the command's text"
        : "the command's text names here-documents that it does not have: \(names)")
  }

  /// The JSON form (L9), an element a line where one line would be too long.
  func jsonForm(_ elements: [String], after head: [String]) -> String {
    let start = flags(head)
    let spelled = elements.map(JSONText.string)
    let line = "\(start) [\(spelled.joined(separator: ", "))]"
    guard breaksLines, line.utf8.count > width, !start.contains("\n") else { return line }
    let indent = String(repeating: " ", count: start.utf8.count + 2)
    return "\(start) [\(spelled.joined(separator: ", \(escape)\n\(indent)"))]"
  }

  /// Operands that blanks separate, or the JSON form where an operand has blanks (L10).
  func operands(
    _ operands: [String], after head: [String], allowsJSON: Bool
  ) throws(Diagnostic) -> String {
    let needsJSON = operands.contains { operand in
      operand.isEmpty || operand.unicodeScalars.contains(where: isBlank)
        || operand.unicodeScalars.last == escape
    }
    let startsOddly = operands.first.map { $0.hasPrefix("[") || $0.hasPrefix("--") } ?? false
    guard needsJSON || startsOddly else { return try whitespaceForm(operands, after: head) }
    guard allowsJSON else {
      throw refusal(
        "a path beside a here-document has a blank or an unusual start",
        help: "write the file to a path without blanks and move it with RUN")
    }
    if let broken = operands.first(where: { $0.unicodeScalars.contains { $0.value == 0 } }) {
      throw refusal("'\(broken)' holds a zero byte")
    }
    return jsonForm(operands, after: head)
  }

  func whitespaceForm(_ operands: [String], after head: [String]) throws(Diagnostic) -> String {
    let start = flags(head)
    let line = start + " " + operands.joined(separator: " ")
    guard breaksLines, line.utf8.count > width, operands.count > 2 else {
      return try checked(line)
    }
    return try checked(start + " " + operands.joined(separator: " \(escape)\n    "))
  }

  /// The whole rest of the line as one operand.
  func wholeRest(_ text: String, _ keyword: String) throws(Diagnostic) -> String {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else {
      throw refusal("\(keyword) has no operand")
    }
    guard !isBlank(first), !isBlank(last) else {
      throw refusal("the operand of \(keyword) starts or ends with a blank")
    }
    return try checked("\(keyword) \(text.hasPrefix("--") ? "-- " : "")\(text)")
  }

  /// A word of `ENV`, `LABEL` or `ARG`, which is one word to the reader too (L10).
  func quotedWord(_ raw: String, isName: Bool = false) throws(Diagnostic) -> String {
    var quote: Unicode.Scalar?
    var isEscaped = false
    for scalar in raw.unicodeScalars {
      if isEscaped {
        isEscaped = false
      } else if scalar == escape, quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if scalar == open { quote = nil }
      } else if scalar == "\"" || scalar == "'" {
        quote = scalar
      } else if isBlank(scalar) || (isName && scalar == "=") {
        throw refusal("'\(raw)' is not one word")
      }
    }
    if isName, raw.isEmpty || raw == "\"\"" || raw == "''" { throw refusal("a name is empty") }
    return raw
  }

  /// `<<NAME` with the marks that say how the body is read.
  func introduction(of heredoc: Heredoc) throws(Diagnostic) -> String {
    var name = heredoc.name
    if !heredoc.expands {
      name = name.unicodeScalars.contains("'") ? "\"\(name)\"" : "'\(name)'"
    }
    let descriptor = heredoc.fileDescriptor.map(String.init) ?? ""
    let word = "\(descriptor)<<\(heredoc.stripsTabs ? "-" : "")\(name)"
    guard HeredocWord(word) == heredoc.word, !word.unicodeScalars.contains(where: isBlank) else {
      throw refusal("'\(heredoc.name)' cannot name a here-document")
    }
    return word
  }

  /// The bodies in order, each with its terminator.
  func bodies(of heredocs: [Heredoc]) throws(Diagnostic) -> String {
    var text = ""
    for heredoc in heredocs {
      guard heredoc.body.isEmpty || heredoc.body.utf8.last == UInt8(ascii: "\n") else {
        throw refusal("the last line of a here-document has no line feed")
      }
      for line in heredoc.body.split(separator: "\n", omittingEmptySubsequences: false) {
        let unindented = heredoc.stripsTabs ? line.drop { $0 == "\t" } : line
        let compared = unindented.utf8.last == 13 ? unindented.dropLast() : unindented
        if compared == heredoc.name {
          throw refusal("the here-document '\(heredoc.name)' ends before its body does")
        }
        if line.utf8.count > 65535 { throw refusal("a line is longer than 65535 bytes") }
      }
      text += "\n" + heredoc.body + heredoc.name
    }
    return text
  }

  /// The text, unless a line of it would be read as something else.
  func checked(_ text: String, allowsHeredoc: Bool = false) throws(Diagnostic) -> String {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.contains(13) { throw refusal("the text holds a carriage return") }
      if line.count > 65535 { throw refusal("a line is longer than 65535 bytes") }
      let continues = ShellTextLayout.endsInContinuation(line, escape: escape)
      if continues != (index < lines.count - 1) {
        throw refusal(
          continues
            ? "the text ends in the escape character, which would join the next line to it"
            : "the text holds a line feed")
      }
    }
    return text
  }

  /// Keyword and flags, one flag a line where there are several long ones.
  private func flags(_ words: [String]) -> String {
    let line = words.joined(separator: " ")
    guard breaksLines, words.count > 2, line.utf8.count > width - 16 else { return line }
    return words[0] + " " + words.dropFirst().joined(separator: " \(escape)\n    ")
  }
}
