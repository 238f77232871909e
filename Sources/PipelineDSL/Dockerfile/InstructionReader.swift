/// Turns one logical line into an instruction, as BuildKit's `instructions/parse.go` does.
struct InstructionReader {
  /// What a line holds.
  enum Content {
    case stage(StageGraph.Stage)
    case instruction(Instruction)
  }

  let line: LogicalLine
  let head: InstructionHead
  let escape: UInt8
  /// The JSON form of the rest, where the instruction has one.
  let json: JSONArrayReader.Result
  /// The part after `ONBUILD`.
  let trigger: InstructionHead?
  let place: InstructionPlace
  /// The bodies that follow the line, to be set before reading.
  var heredocs: [Heredoc] = []
  private(set) var warnings: [Diagnostic] = []

  var bytes: [UInt8] { line.text }
  var keyword: String { head.keyword }

  static let keywords = [
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
  ]
  private static let withJSONForm: Set = [
    "ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME",
  ]

  init(_ line: LogicalLine, escape: UInt8, place: InstructionPlace) {
    self.line = line
    self.escape = escape
    self.place = place
    let head = InstructionHead(line.text, in: 0..<line.text.count)
    self.head = head
    trigger =
      head.keyword == "ONBUILD" && !head.rest.isEmpty
      ? InstructionHead(line.text, in: head.rest) : nil
    json = Self.json(trigger ?? head, in: line.text)
  }

  private static func json(_ head: InstructionHead, in bytes: [UInt8]) -> JSONArrayReader.Result {
    var rest = head.rest
    if head.keyword == "HEALTHCHECK" {
      // The word CMD stands in front of it.
      let word = bytes[rest].prefix { !Blanks.separates($0) }
      rest = Blanks.trimmed(word.endIndex..<rest.upperBound, in: bytes)
    } else if !withJSONForm.contains(head.keyword) {
      return .other
    }
    return JSONArrayReader.read(bytes[rest])
  }

  /// The here-documents whose bodies follow the line (L12).
  var heredocWords: [HeredocWord] {
    let canHaveSome = ["ADD", "COPY", "RUN"].contains((trigger ?? head).keyword)
    guard canHaveSome, json == .other, bytes.contains(UInt8(ascii: "<")) else { return [] }
    return HeredocWord.all(in: text(0..<bytes.count))
  }

  /// Reads the instruction.
  ///
  /// - Throws: the first thing that is wrong with it.
  mutating func read() throws(Diagnostic) -> Content {
    if json == .mixed {
      throw Diagnostic(
        "when using JSON array syntax, arrays must be comprised of strings only",
        at: location((trigger ?? head).rest), help: "put quotes around every element")
    }
    switch keyword {
    case "FROM": return .stage(try readStage())
    case "ADD": return .instruction(.add(try readAdd()))
    case "COPY": return .instruction(.copy(try readCopy()))
    case "RUN": return .instruction(.run(try readRun()))
    case "CMD": return .instruction(.command(try readCommand()))
    case "ENTRYPOINT": return .instruction(.entrypoint(try readCommand()))
    case "HEALTHCHECK": return .instruction(.healthcheck(try readHealthcheck()))
    case "SHELL": return .instruction(.shell(try readShell()))
    case "ENV": return .instruction(.environment(try readAssignments()))
    case "LABEL": return .instruction(.label(try readAssignments()))
    case "ARG": return .instruction(.argument(try readArguments()))
    case "EXPOSE": return .instruction(.expose(try readPorts()))
    case "VOLUME": return .instruction(.volume(try readVolumes()))
    case "USER": return .instruction(.user(try readWholeRest()))
    case "WORKDIR": return .instruction(.workingDirectory(try readWholeRest()))
    case "STOPSIGNAL": return .instruction(.stopSignal(try readWholeRest(ignoresFlags: true)))
    case "MAINTAINER": return .instruction(.maintainer(try readWholeRest().raw))
    case "ONBUILD": return .instruction(.onBuild(try readTrigger()))
    default: throw unknownInstruction()
    }
  }

  // MARK: - Text and places

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func word(_ range: Range<Int>) -> Word { Word(raw: text(range)) }

  /// The place of a part of the text.
  func location(_ range: Range<Int>) -> SourceLocation { place.location(range, in: line) }

  func failure(
    _ message: String, at range: Range<Int>? = nil, help: String? = nil
  ) -> Diagnostic {
    Diagnostic(message, at: location(range ?? head.keywordRange), help: help)
  }

  mutating func warn(_ message: String, id: String, at range: Range<Int>, help: String? = nil) {
    warnings.append(
      Diagnostic(message, severity: .warning, id: id, at: location(range), help: help))
  }

  func flags(_ kinds: KeyValuePairs<String, FlagValues.Kind>) throws(Diagnostic) -> FlagValues {
    try FlagValues(head.flags, of: keyword, allowing: kinds) { location($0) }
  }

  /// Says that flags mean nothing where BuildKit drops them without a word (X8).
  mutating func warnAboutIgnoredFlags(of name: String) {
    guard let flag = head.flags.first else { return }
    warn(
      "flag '--\(flag.name)' of \(name) is ignored", id: "IgnoredFlag", at: flag.range,
      help: "\(name) has no flags")
  }

  /// What to say where a word starts like a comment, which is none at the end of a line.
  func commentHelp(_ words: [Range<Int>]) -> String? {
    words.contains { bytes[$0].first == UInt8(ascii: "#") }
      ? "a comment needs a line of its own" : nil
  }

  private func unknownInstruction() -> Diagnostic {
    let name = text(head.keywordRange)
    guard !name.isEmpty else {
      return failure("a line is continued, and nothing follows")
    }
    let near = EditDistance.nearest(to: keyword, among: Self.keywords)
    return failure(
      "unknown instruction: '\(name)'",
      help: near.map { "did you mean '\($0)'?" }
        ?? "a line that belongs to the instruction above needs an escape character at the end of "
        + "the line before it")
  }
}

/// The file an instruction stands in, or the one place that stands for all of a trigger.
enum InstructionPlace {
  case file(name: String, path: String)
  /// The text of a trigger stands in no file of this build.
  case fixed(SourceLocation?)

  func location(_ range: Range<Int>, in line: LogicalLine) -> SourceLocation {
    switch self {
    case .file(let name, let path):
      let start = line.position(of: range.lowerBound)
      let end =
        range.isEmpty ? start : line.endPosition(of: range.upperBound)
      return SourceLocation(
        file: name, path: path, line: start.line, column: start.column, endLine: end.line,
        endColumn: end.column)
    case .fixed(let location):
      return location ?? SourceLocation(file: "ONBUILD", line: 1, column: 1)
    }
  }
}
