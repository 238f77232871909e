extension InstructionReader {
  /// `FROM`: one operand, or three with `AS` between them (L14, S1).
  mutating func readStage() throws(Diagnostic) -> StageGraph.Stage {
    let words = WordSplitter(bytes: bytes).fields(in: head.rest)
    var name: String?
    if words.count == 3, text(words[1]).lowercased() == "as" {
      name = try stageName(words[2])
    } else if words.count != 1 {
      throw failure(
        "FROM requires either one or three arguments",
        at: words.isEmpty ? nil : words[0].lowerBound..<words[words.count - 1].upperBound,
        help: commentHelp(words) ?? "write 'FROM image' or 'FROM image AS name'")
    }
    let flags = try flags(["platform": .string])
    return StageGraph.Stage(name: name, base: word(words[0]), platform: flags.word("platform"))
  }

  private mutating func stageName(_ range: Range<Int>) throws(Diagnostic) -> String {
    let written = text(range)
    let name = written.lowercased()
    let isValid =
      name.utf8.first.map { (97...122).contains($0) } == true
      && name.utf8.allSatisfy {
        (97...122).contains($0) || (48...57).contains($0) || "-_.".utf8.contains($0)
      }
    guard isValid else {
      throw failure(
        "invalid name for build stage: '\(written)', name can't start with a number or contain symbols",
        at: range,
        help: "start it with a letter, and use letters, digits, '-', '_' and '.' in it")
    }
    if name != written {
      warn(
        "stage name '\(written)' should be lowercase", id: "StageNameCasing", at: range,
        help: "the stage is known as '\(name)'")
    }
    return name
  }

  func readCopy() throws(Diagnostic) -> CopyInstruction {
    let (sources, destination) = try readOperands()
    let flags = try flags([
      "from": .string, "chown": .string, "chmod": .string, "link": .boolean, "parents": .boolean,
      "exclude": .list,
    ])
    if let from = flags.string("from"), from.utf8.contains(UInt8(ascii: "$")) {
      // What a variable names cannot be known before the stages are (V7).
      throw failure(
        "variable expansion is not supported for '--from'",
        at: head.flags.first { $0.name == "from" }?.range,
        help: "add a stage 'FROM \(from) AS name' before this one, with ARG before the first FROM, "
          + "and write '--from=name'")
    }
    return CopyInstruction(
      sources, to: destination, from: flags.string("from"), owner: flags.word("chown"),
      mode: flags.word("chmod"), isLinked: flags.boolean("link") ?? false,
      keepsParents: flags.boolean("parents") ?? false, excludes: flags.list("exclude"))
  }

  func readAdd() throws(Diagnostic) -> AddInstruction {
    let (sources, destination) = try readOperands()
    let flags = try flags([
      "chown": .string, "chmod": .string, "link": .boolean, "keep-git-dir": .boolean,
      "checksum": .string, "unpack": .boolean, "exclude": .list,
    ])
    return AddInstruction(
      sources, to: destination, owner: flags.word("chown"), mode: flags.word("chmod"),
      checksum: flags.word("checksum"), isLinked: flags.boolean("link") ?? false,
      keepsGitDirectory: flags.boolean("keep-git-dir") ?? false,
      unpacks: flags.boolean("unpack"), excludes: flags.list("exclude"))
  }

  private func readOperands() throws(Diagnostic) -> ([CopySource], Word) {
    var words: [String]
    if case .strings(let strings) = json {
      words = strings
    } else {
      words = WordSplitter(bytes: bytes).fields(in: head.rest).map(text)
    }
    guard words.count >= 2, let destination = words.popLast() else {
      throw failure(
        words.isEmpty
          ? "\(keyword) requires at least two arguments"
          : "\(keyword) requires at least two arguments, but only one was provided. "
            + "Destination could not be determined",
        at: words.isEmpty ? nil : head.rest, help: "write '\(keyword) SOURCE… DESTINATION'")
    }
    guard HeredocWord(destination) == nil else {
      throw failure(
        "\(keyword) cannot accept a heredoc as a destination", at: head.rest,
        help: "write the path of the new file after '\(destination)'")
    }
    // Looked up by name, as BuildKit does; the JSON form has no bodies.
    let bodies = Dictionary(heredocs.map { ($0.name, $0.body) }) { $1 }
    let sources = words.map { word -> CopySource in
      guard let heredoc = HeredocWord(word) else { return .path(Word(raw: word)) }
      return .heredoc(Heredoc(heredoc, body: bodies[heredoc.name] ?? ""))
    }
    return (sources, Word(raw: destination))
  }
}

extension Heredoc {
  /// The word that introduces it.
  var word: HeredocWord {
    HeredocWord(
      name: name, expands: expands, stripsTabs: stripsTabs, fileDescriptor: fileDescriptor)
  }

  /// Joins the word that introduced a here-document and the body that followed.
  init(_ word: HeredocWord, body: String) {
    self.init(
      name: word.name, body: body, expands: word.expands, stripsTabs: word.stripsTabs,
      fileDescriptor: word.fileDescriptor)
  }
}
