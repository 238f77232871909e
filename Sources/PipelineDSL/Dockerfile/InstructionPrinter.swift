/// Prints one instruction: its keyword, its flags, its operands.
///
/// What it cannot spell so that reading gives the same instruction again, it refuses.
struct InstructionPrinter {
  /// The escape character of the file (L1).
  var escape: Unicode.Scalar
  /// False where the text has to stay on one line, as inside `ONBUILD`.
  var breaksLines: Bool
  /// Where the instruction was written, for what is refused.
  var location: SourceLocation?

  /// The text without a line feed at its end.
  func text(of instruction: Instruction) throws(Diagnostic) -> String {
    let keyword = instruction.keyword
    switch instruction {
    case .add(let add): return try text(of: add)
    case .argument(let arguments): return try text(of: arguments)
    case .command(let command), .entrypoint(let command):
      return try commandLine(command, after: [keyword])
    case .copy(let copy): return try text(of: copy)
    case .environment(let assignments), .label(let assignments):
      return try text(of: assignments, keyword)
    case .expose(let ports):
      for port in ports where port.raw.isEmpty || port.raw.unicodeScalars.contains(where: isBlank) {
        throw refusal("'\(port.raw)' is no operand of EXPOSE: it has a blank or is empty")
      }
      return try whitespaceForm(ports.map(\.raw), after: [keyword])
    case .healthcheck(let check): return try text(of: check)
    case .maintainer(let name): return try wholeRest(name, keyword)
    case .onBuild(let trigger): return try text(of: trigger)
    case .run(let run): return try text(of: run)
    case .shell(let arguments): return jsonForm(arguments, after: [keyword])
    case .stopSignal(let word), .user(let word), .workingDirectory(let word):
      return try wholeRest(word.raw, keyword)
    case .volume(let paths):
      return try operands(paths.map(\.raw), after: [keyword], allowsJSON: true)
    }
  }

  /// The `FROM` line of a stage.
  func text(from stage: StageGraph.Stage) throws(Diagnostic) -> String {
    var words = ["FROM"]
    if let platform = stage.platform { words.append(try flag("platform", platform.raw)) }
    guard !stage.base.raw.isEmpty, !stage.base.raw.unicodeScalars.contains(where: isBlank) else {
      throw refusal("'\(stage.base.raw)' is no operand of FROM: it has a blank or is empty")
    }
    words.append(stage.base.raw)
    if let name = stage.name { words += ["AS", name] }
    return try checked(words.joined(separator: " "))
  }

  private func text(of copy: CopyInstruction) throws(Diagnostic) -> String {
    var words = ["COPY"]
    if let from = copy.from { words.append(try flag("from", from)) }
    if let owner = copy.owner { words.append(try flag("chown", owner.raw)) }
    if let mode = copy.mode { words.append(try flag("chmod", mode.raw)) }
    if copy.isLinked { words.append("--link") }
    if copy.keepsParents { words.append("--parents") }
    for pattern in copy.excludes { words.append(try flag("exclude", pattern)) }
    return try sources(copy.sources, to: copy.destination, after: words)
  }

  private func text(of add: AddInstruction) throws(Diagnostic) -> String {
    var words = ["ADD"]
    if let owner = add.owner { words.append(try flag("chown", owner.raw)) }
    if let mode = add.mode { words.append(try flag("chmod", mode.raw)) }
    if let checksum = add.checksum { words.append(try flag("checksum", checksum.raw)) }
    if add.isLinked { words.append("--link") }
    if add.keepsGitDirectory { words.append("--keep-git-dir") }
    if let unpacks = add.unpacks { words.append(unpacks ? "--unpack" : "--unpack=false") }
    for pattern in add.excludes { words.append(try flag("exclude", pattern)) }
    return try sources(add.sources, to: add.destination, after: words)
  }

  private func sources(
    _ sources: [CopySource], to destination: Word, after head: [String]
  ) throws(Diagnostic) -> String {
    var spelled: [String] = []
    var heredocs: [Heredoc] = []
    for source in sources {
      switch source {
      case .path(let path): spelled.append(path.raw)
      case .heredoc(let heredoc):
        spelled.append(try introduction(of: heredoc))
        heredocs.append(heredoc)
      }
    }
    let text = try operands(
      spelled + [destination.raw], after: head, allowsJSON: heredocs.isEmpty)
    return text + (try bodies(of: heredocs))
  }

  private func text(of run: RunInstruction) throws(Diagnostic) -> String {
    var words = ["RUN"]
    for mount in run.mounts { words.append(try flag("mount", MountText(mount).csv)) }
    if let network = run.network { words.append(try flag("network", network)) }
    if let security = run.security { words.append(try flag("security", security)) }
    for device in run.devices { words.append(try flag("device", device)) }
    return try commandLine(run.command, after: words, heredocs: run.heredocs)
  }

  private func text(of check: HealthcheckInstruction) throws(Diagnostic) -> String {
    guard case .command(let command, let options) = check else { return "HEALTHCHECK NONE" }
    var words = ["HEALTHCHECK"]
    if let interval = options.interval { words.append(try flag("interval", interval)) }
    if let timeout = options.timeout { words.append(try flag("timeout", timeout)) }
    if let period = options.startPeriod { words.append(try flag("start-period", period)) }
    if let interval = options.startInterval { words.append(try flag("start-interval", interval)) }
    if let retries = options.retries { words.append(try flag("retries", retries)) }
    return try commandLine(command, after: words + ["CMD"])
  }

  private func text(of trigger: OnBuildInstruction) throws(Diagnostic) -> String {
    let lines = trigger.text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, !first.isEmpty else { throw refusal("ONBUILD has no trigger") }
    guard lines.count == 1 || first.utf8.contains(UInt8(ascii: "<")) else {
      throw refusal("the trigger of ONBUILD has several lines and no here-document")
    }
    let introduction = try checked("ONBUILD " + first)
    return lines.count == 1
      ? introduction : introduction + "\n" + lines.dropFirst().joined(separator: "\n")
  }

  private func text(of arguments: [ArgumentDeclaration]) throws(Diagnostic) -> String {
    guard !arguments.isEmpty else { throw refusal("ARG declares nothing") }
    var words: [String] = []
    for argument in arguments {
      let name = try quotedWord(argument.name, isName: true)
      guard let value = argument.defaultValue else {
        words.append(name)
        continue
      }
      words.append("\(name)=\(try quotedWord(value.raw))")
    }
    return try aligned(words, after: "ARG")
  }

  private func text(
    of assignments: Assignments, _ keyword: String
  ) throws(Diagnostic) -> String {
    guard let first = assignments.all.first else { throw refusal("\(keyword) assigns nothing") }
    if assignments.isLegacyForm {
      guard assignments.all.count == 1 else {
        throw refusal("\(keyword) without '=' has room for one assignment")
      }
      return try wholeRest(
        "\(try quotedWord(first.name.raw, isName: true)) \(first.value.raw)", keyword)
    }
    var words: [String] = []
    for assignment in assignments.all {
      let name = try quotedWord(assignment.name.raw, isName: true)
      words.append("\(name)=\(try quotedWord(assignment.value.raw))")
    }
    return try aligned(words, after: keyword)
  }

  /// One assignment a line where there are several.
  private func aligned(_ words: [String], after keyword: String) throws(Diagnostic) -> String {
    let separator =
      breaksLines && keyword != "ARG"
      ? " \(escape)\n" + String(repeating: " ", count: keyword.utf8.count + 1) : " "
    return try checked(keyword + " " + words.joined(separator: separator))
  }
}
