extension InstructionReader {
  /// `ENV` and `LABEL`, with `=` or in the old form (L11).
  func readAssignments() throws(Diagnostic) -> Assignments {
    _ = try flags([:])
    return try readAssignments(of: head)
  }

  /// Those of the instruction itself or of its trigger.
  func readAssignments(of head: InstructionHead) throws(Diagnostic) -> Assignments {
    let keyword = head.keyword
    let words = WordSplitter(bytes: bytes).quotedWords(in: head.rest, escape: escape)
    guard let first = words.first else {
      throw failure(
        "\(keyword) requires at least one argument", help: "write '\(keyword) name=value'")
    }
    guard bytes[first].contains(UInt8(ascii: "=")) else {
      return try readLegacyAssignment(of: head)
    }
    var assignments: [Assignment] = []
    for range in words {
      guard let equals = bytes[range].firstIndex(of: UInt8(ascii: "=")) else {
        throw failure(
          "can't find = in '\(text(range))'", at: range,
          help: commentHelp([range])
            ?? "write name=value, with quotes around a value that has blanks")
      }
      guard equals > range.lowerBound else {
        throw failure("\(keyword) names can not be blank", at: range)
      }
      assignments.append(
        Assignment(
          word(range.lowerBound..<equals), word(equals + 1..<range.upperBound)))
    }
    return Assignments(assignments)
  }

  private func readLegacyAssignment(of head: InstructionHead) throws(Diagnostic) -> Assignments {
    let keyword = head.keyword
    let name = bytes[head.rest].prefix { !Blanks.separates($0) }
    let value = bytes[name.endIndex..<head.rest.upperBound].drop(while: Blanks.separates)
    guard !value.isEmpty else {
      throw failure(
        "\(keyword) must have two arguments", at: head.rest,
        help: "write '\(keyword) \(text(head.rest))=value'")
    }
    let assignment = Assignment(
      word(name.startIndex..<name.endIndex), word(value.startIndex..<value.endIndex))
    return Assignments([assignment], isLegacyForm: true)
  }

  mutating func readArguments() throws(Diagnostic) -> [ArgumentDeclaration] {
    let words = WordSplitter(bytes: bytes).quotedWords(in: head.rest, escape: escape)
    guard !words.isEmpty else {
      throw failure("ARG requires at least one argument", help: "write 'ARG name'")
    }
    var declarations: [ArgumentDeclaration] = []
    for range in words {
      let name = bytes[range].prefix { $0 != UInt8(ascii: "=") }
      guard !name.isEmpty else { throw failure("ARG names can not be blank", at: range) }
      let value =
        name.endIndex < range.upperBound ? word(name.endIndex + 1..<range.upperBound) : nil
      declarations.append(ArgumentDeclaration(text(name.startIndex..<name.endIndex), value))
    }
    warnAboutIgnoredFlags(of: keyword)
    return declarations
  }

  func readPorts() throws(Diagnostic) -> [Word] {
    let ports = WordSplitter(bytes: bytes).fields(in: head.rest)
    guard !ports.isEmpty else {
      throw failure("EXPOSE requires at least one argument", help: "write 'EXPOSE 80'")
    }
    _ = try flags([:])
    return ports.map(word)
  }

  func readVolumes() throws(Diagnostic) -> [Word] {
    var paths: [String]
    if case .strings(let strings) = json {
      paths = strings.map(Self.trimmed)
    } else {
      paths = WordSplitter(bytes: bytes).fields(in: head.rest).map(text)
    }
    guard !paths.isEmpty else {
      throw failure("VOLUME requires at least one argument", help: "write 'VOLUME /path'")
    }
    _ = try flags([:])
    guard !paths.contains("") else {
      throw failure("VOLUME specified can not be an empty string", at: head.rest)
    }
    return paths.map { Word(raw: $0) }
  }

  private static func trimmed(_ text: String) -> String {
    let bytes = Array(text.utf8)
    return String(decoding: bytes[Blanks.trimmed(0..<bytes.count, in: bytes)], as: UTF8.self)
  }

  /// The whole rest of the line as one operand (L10).
  mutating func readWholeRest(ignoresFlags: Bool = false) throws(Diagnostic) -> Word {
    guard !head.rest.isEmpty else {
      throw failure(
        "\(keyword) requires exactly one argument", help: "write '\(keyword) VALUE'")
    }
    if ignoresFlags {
      warnAboutIgnoredFlags(of: keyword)
    } else {
      _ = try flags([:])
    }
    return word(head.rest)
  }
}
