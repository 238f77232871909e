/// Turns the instructions of one stage into steps of a Swift declaration.
///
/// Each step is made twice, as source and as the value that the source stands for. The value has
/// to come to the same instruction; where it does not, a plainer spelling is taken.
struct StepConverter {
  struct Result {
    var code: String
    var step: Step
  }

  let normalization: GraphNormalization
  let graph: StageGraph
  /// The index of the stage whose steps are converted.
  let index: Int
  /// The stages that came before, and what they are called in the source.
  let stages: [Stage]
  let identifiers: [String]

  var words: SwiftWords { SwiftWords(escape: graph.directives.escape) }

  /// Converts an instruction.
  ///
  /// - Throws: why no declaration can say it.
  func convert(_ instruction: Instruction) throws(InexpressibleError) -> Result {
    for candidate in try candidates(for: instruction) {
      guard let made = resolved(candidate.step), made == wanted(instruction) else { continue }
      do {
        try InstructionCheck(nil).check(made)
      } catch {
        throw InexpressibleError(reason: error.message)
      }
      return candidate
    }
    throw InexpressibleError(reason: "no step comes to this instruction")
  }

  /// The spellings to try, the best first.
  private func candidates(
    for instruction: Instruction
  ) throws(InexpressibleError) -> [Result] {
    switch instruction {
    case .add(let add): try candidates(for: add)
    case .copy(let copy): try candidates(for: copy)
    case .run(let run): try candidates(for: run)
    case .argument(let declarations): [try result(declarations)]
    case .environment(let assignments): try candidates(for: assignments, "Env")
    case .label(let assignments): try candidates(for: assignments, "Label")
    case .healthcheck(let check): candidates(for: check)
    case .command(let command): [startResult("Command", command) { .command($0) }]
    case .entrypoint(let command): [startResult("Entrypoint", command) { .entrypoint($0) }]
    case .expose(let ports): [try result(ports: ports)]
    case .maintainer(let name):
      [result("Maintainer", [SwiftLiteral.string(name)], Maintainer(name).step)]
    case .onBuild(let trigger): triggerCandidates(trigger)
    case .shell(let arguments):
      [result("Shell", arguments.map(SwiftLiteral.string), Step(.shell(arguments)))]
    case .stopSignal(let word): [try result("StopSignal", word, StopSignal(word).step)]
    case .user(let word): [try result("User", word, User(word).step)]
    case .volume(let paths):
      [result("Volume", try words.words(paths), Step(.volume(paths.map(\.asOperand))))]
    case .workingDirectory(let word):
      [try result("WorkingDirectory", word, WorkingDirectory(word).step)]
    }
  }

  // MARK: - Comparing

  private func wanted(_ instruction: Instruction) -> Instruction {
    normalization.instruction(instruction, in: index)
  }

  /// The instruction that a step comes to, in normal form.
  private func resolved(_ step: Step) -> Instruction? {
    let instruction: Instruction
    switch step.action {
    case .instruction(let plain): instruction = plain
    case .copy(var copy, let origin, _):
      copy.from = name(of: origin)
      instruction = .copy(copy)
    case .run(var run, let script, let mounts):
      if let command = script?.instruction(for: .posix) {
        run.command = command.command
        run.heredocs = command.heredocs
      }
      run.mounts += mounts.map { mount in
        var fields = [Mount.Field("type", Word(literal: mount.type))]
        if let from = mount.origin.flatMap(name) {
          fields.append(Mount.Field("from", Word(raw: from)))
        }
        return Mount(fields + mount.fields)
      }
      instruction = .run(run)
    case .start: return nil
    case .onBuild(let steps):
      guard let inner = steps.first.flatMap(resolved) else { return nil }
      let printer = InstructionPrinter(escape: "\\", breaksLines: false)
      guard let text = try? printer.text(of: inner) else { return nil }
      instruction = .onBuild(OnBuildInstruction(text))
    }
    guard step.problem == nil else { return nil }
    let plain = GraphNormalization(StageGraph(stages: []))
    return plain.instruction(instruction, in: 0)
  }

  private func name(of origin: BaseImage) -> String? {
    switch origin.kind {
    case .stage(let stage): stages.firstIndex(of: stage).flatMap { normalization.names[$0] }
    case .image(let reference): reference.text
    case .context(let context): context.name
    case .scratch: "scratch"
    }
  }

  // MARK: - Trees

  /// What a `from` means, as a value and as source; nil is the main build context.
  func tree(
    _ from: String?, allowsIndex: Bool
  ) throws(InexpressibleError) -> (code: String, image: BaseImage)? {
    guard let from else { return nil }
    let reference = StageReference(text: from, allowsIndex: allowsIndex)
    if let found = graph.stageReferred(reference, before: index) {
      return (identifiers[found], stages[found].tree)
    }
    let image = BaseImage.image(ImageReference(stringLiteral: from))
    if let problem = image.problem { throw InexpressibleError(reason: problem.message) }
    return (".image(\(SwiftLiteral.string(from)))", image)
  }

  // MARK: - Simple steps

  func result(_ name: String, _ arguments: [String], _ step: Step) -> Result {
    Result(code: SwiftCode(name, arguments).text, step: step)
  }

  private func result(
    _ name: String, _ word: Word, _ step: Step
  ) throws(InexpressibleError) -> Result {
    result(name, [try words.word(word)], canonical(step))
  }

  /// The step with words as the builder spells them.
  private func canonical(_ step: Step) -> Step {
    guard case .instruction(let instruction) = step.action else { return step }
    return Step(wanted(instruction))
  }

  private func result(
    _ declarations: [ArgumentDeclaration]
  ) throws(InexpressibleError) -> Result {
    let step = canonical(Step(.argument(declarations)))
    var elements: [[String]] = []
    for declaration in declarations {
      var arguments = [SwiftLiteral.string(declaration.name)]
      if let value = declaration.defaultValue { arguments.append(try words.word(value)) }
      elements.append(arguments)
    }
    if elements.count == 1 {
      let arguments = elements[0]
      return result(
        "BuildArgument",
        arguments.count == 1 ? arguments : [arguments[0], "default: \(arguments[1])"], step)
    }
    let list = elements.map { "ArgumentDeclaration(\($0.joined(separator: ", ")))" }
    return result("Step", [".argument([\(list.joined(separator: ", "))])"], step)
  }

  private func result(ports: [Word]) throws(InexpressibleError) -> Result {
    var arguments: [String] = []
    for port in ports {
      if UInt16(port.raw) != nil, !port.raw.hasPrefix("0") {
        arguments.append(port.raw)
      } else if port.raw.hasSuffix("/udp"), let number = UInt16(port.raw.dropLast(4)),
        port.raw == "\(number)/udp"
      {
        arguments.append(".udp(\(number))")
      } else {
        // A quoted port does not split, so the quotes stay (V6).
        let isQuoted = port.raw.unicodeScalars.contains { $0 == "\"" || $0 == "'" }
        let word =
          isQuoted && words.escape == "\\"
          ? "Word(raw: \(SwiftLiteral.string(port.raw)))" : try words.word(port)
        arguments.append(".spelled(\(word))")
      }
    }
    return result("Expose", arguments, canonical(Step(.expose(ports))))
  }

  private func startResult(
    _ name: String, _ command: CommandLine, _ make: (CommandLine) -> Instruction
  ) -> Result {
    let step = Step(make(command))
    switch command {
    case .shell(""):
      // A text of the declaration may not be empty, as that of a Dockerfile may.
      return result("Step", [".\(name.lowercased())(.shell(\"\"))"], step)
    case .shell(let text):
      return result(name, ["shell: " + SwiftLiteral.text(text)], step)
    case .exec(let arguments) where arguments.isEmpty:
      return result(name, ["arguments: []"], step)
    case .exec(let arguments) where arguments.first == "":
      return result("Step", [".\(name.lowercased())(\(SwiftWords.command(command)))"], step)
    case .exec(let arguments):
      return result(name, arguments.map(SwiftLiteral.string), step)
    }
  }

  private func candidates(
    for assignments: Assignments, _ name: String
  ) throws(InexpressibleError) -> [Result] {
    let make: (Assignments) -> Instruction = { name == "Env" ? .environment($0) : .label($0) }
    let step = canonical(Step(make(assignments)))
    let verbatim = result(
      "Step",
      [(name == "Env" ? ".environment(" : ".label(") + (try words.assignments(assignments)) + ")"],
      step)
    var isLegacyForm = assignments.isLegacyForm
    if case .environment(let normal) = wanted(make(assignments)) {
      isLegacyForm = normal.isLegacyForm
    }
    if case .label(let normal) = wanted(make(assignments)) { isLegacyForm = normal.isLegacyForm }
    var pairs: [(String, String)] = []
    for assignment in assignments.all {
      guard let key = words.text(assignment.name), !isLegacyForm else { return [verbatim] }
      pairs.append((SwiftLiteral.string(key), try words.word(assignment.value)))
    }
    if pairs.count == 1 { return [result(name, [pairs[0].0, pairs[0].1], step)] }
    let elements = pairs.map { "\($0.0): \($0.1)" }
    let line = "[" + elements.joined(separator: ", ") + "]"
    let list =
      line.utf8.count <= SwiftLiteral.width - 16
      ? line : "[\n" + elements.map { SwiftCode.indented($0) + ",\n" }.joined() + "]"
    // A list of several lines hangs on the call's own line.
    let code = list.contains("\n") ? "\(name)(\(list))" : SwiftCode(name, [list]).text
    return [Result(code: code, step: step)]
  }

  private func candidates(for check: HealthcheckInstruction) -> [Result] {
    guard case .command(let command, let options) = check else {
      return [Result(code: "Healthcheck.none", step: Healthcheck.none.step)]
    }
    let step = Step(wanted(.healthcheck(check)))
    var arguments: [String] = []
    switch command {
    case .shell(let text): arguments.append(SwiftLiteral.string(text))
    case .exec(let vector): arguments.append("arguments: \(SwiftWords.strings(vector))")
    }
    var isTyped = command != .shell("") && command != .exec([])
    for (label, text) in [
      ("every", options.interval), ("timeout", options.timeout),
      ("startPeriod", options.startPeriod), ("startInterval", options.startInterval),
    ] {
      guard let text else { continue }
      guard let count = DurationText.milliseconds(text) else {
        isTyped = false
        continue
      }
      let value =
        count.isMultiple(of: 1000) ? ".seconds(\(count / 1000))" : ".milliseconds(\(count))"
      arguments.append("\(label): \(value)")
    }
    if let retries = options.retries {
      isTyped = isTyped && Int(retries) != nil
      arguments.append("retries: \(Int(retries) ?? 0)")
    }
    if isTyped { return [result("Healthcheck", arguments, step)] }
    let fields = [
      ("interval", options.interval), ("timeout", options.timeout),
      ("startPeriod", options.startPeriod), ("startInterval", options.startInterval),
      ("retries", options.retries),
    ].compactMap { name, text in text.map { "\(name): \(SwiftLiteral.string($0))" } }
    let code =
      ".healthcheck(.command(\(SwiftWords.command(command)), "
      + "HealthcheckInstruction.Options(\(fields.joined(separator: ", ")))))"
    return [result("Step", [code], step)]
  }

  // MARK: - Triggers

  private func triggerCandidates(_ trigger: OnBuildInstruction) -> [Result] {
    var results: [Result] = []
    if let instruction = try? DockerfileParser.parseTrigger(trigger.text, at: nil) {
      // A trigger has no stages to refer to, and its escape character is the default one.
      let alone = StageGraph(stages: [StageGraph.Stage(base: "scratch")])
      let converter = StepConverter(
        normalization: GraphNormalization(alone), graph: alone, index: 0, stages: [],
        identifiers: [])
      if let inner = try? converter.convert(instruction) {
        results.append(
          Result(
            code: "OnBuild {\n" + SwiftCode.indented(inner.code) + "\n}",
            step: Step(.onBuild([inner.step]))))
      }
    }
    let text = SwiftLiteral.text(trigger.text)
    results.append(
      Result(
        code: SwiftCode("Step", [".onBuild(OnBuildInstruction(\(text)))"]).text,
        step: Step(.onBuild(trigger))))
    return results
  }
}
