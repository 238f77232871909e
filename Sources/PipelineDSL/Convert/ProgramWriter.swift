/// Writes the source of one program while it builds what that source stands for.
struct ProgramWriter {
  private let graph: StageGraph
  private let normalization: GraphNormalization
  private var stages: [Stage] = []
  private var identifiers: [String] = []
  private var taken: Set<String>
  /// The identifier of each global argument, by the argument's name.
  private var arguments: [(name: String, identifier: String, value: BuildArgument)] = []
  private(set) var diagnostics: [Diagnostic] = []

  private var words: SwiftWords { SwiftWords(escape: graph.directives.escape) }

  init(_ graph: StageGraph) {
    self.graph = graph
    normalization = GraphNormalization(graph)
    taken = SwiftIdentifier.reserved
  }

  mutating func write(named name: String, isMain: Bool) -> String {
    let globals = writeGlobals()
    var bodies: [String] = []
    for index in graph.stages.indices { bodies.append(writeStage(index)) }
    let companions = companions()
    var lines = "import PipelineDSL\n"
    if isMain { lines += "import PipelineRunner\n\n@main\n" } else { lines += "\n" }
    lines += "struct \(name): ContainerImage {\n"
    lines += globals.map { SwiftCode.indented($0) + "\n" }.joined()
    if !globals.isEmpty { lines += "\n" }
    if needsArguments(companions) {
      let list = arguments.map(\.identifier).joined(separator: ", ")
      lines += "  var arguments: [BuildArgument] { [\(list)] }\n\n"
    }
    lines += "  func image() -> Stage {\n"
    for (index, body) in bodies.enumerated() {
      let isLast = index == bodies.count - 1
      let start = isLast ? "return " : "let \(identifiers[index]) = "
      let end =
        isLast && !companions.isEmpty
        ? ".alongside(\(companions.map { identifiers[$0] }.joined(separator: ", ")))" : ""
      let comments = Self.comments(graph.stages[index].comments)
      lines += SwiftCode.indented(comments + start + body + end, by: 4) + "\n"
      if !isLast { lines += "\n" }
    }
    let trailing = Self.comments(graph.trailingComments)
    if !trailing.isEmpty { lines += SwiftCode.indented(String(trailing.dropLast()), by: 4) + "\n" }
    lines += "  }\n}\n"
    check(companions)
    return lines
  }

  // MARK: - Arguments

  private mutating func writeGlobals() -> [String] {
    var lines: [String] = []
    for step in graph.globals {
      guard case .argument(let declarations) = step.instruction else { continue }
      let comments = Self.comments(step.comments)
      var code: [String] = []
      for declaration in declarations {
        if arguments.contains(where: { $0.name == declaration.name }) {
          report("the argument '\(declaration.name)' is declared twice", at: step.location)
          code.append("// \(place(step.location)): a second ARG \(declaration.name) is left out")
          continue
        }
        let identifier = SwiftIdentifier.unused(for: declaration.name, taken: &taken)
        var parts = [SwiftLiteral.string(declaration.name)]
        do {
          if let value = declaration.defaultValue {
            parts.append("default: \(try words.word(value))")
          }
        } catch {
          report(error.reason, at: step.location)
        }
        let value = declaration.defaultValue.map(normalization.word)
        arguments.append(
          (declaration.name, identifier, BuildArgument(declaration.name, default: value)))
        code.append("let \(identifier) = " + SwiftCode("BuildArgument", parts).text)
      }
      lines.append(comments + code.joined(separator: "\n"))
    }
    return lines
  }

  /// Whether the arguments that base images name are not all there are, in this order.
  private func needsArguments(_ companions: [Int]) -> Bool {
    guard !arguments.isEmpty else { return false }
    let made = try? StageGraph(target: target(companions))
    return made?.normalized.globals != graph.normalized.globals
  }

  // MARK: - Stages

  private mutating func writeStage(_ index: Int) -> String {
    let stage = graph.stages[index]
    let name = normalization.names[index]
    identifiers.append(
      index == graph.stages.count - 1
        ? "" : SwiftIdentifier.unused(for: name ?? "stage-\(index)", taken: &taken))
    if stage.name != nil, stage.name != name {
      report("another stage is called '\(stage.name ?? "")' later", at: stage.location)
    }
    let isNamed = stage.name != nil && name == stage.name
    var parts = isNamed ? [SwiftLiteral.string(name ?? "")] : []
    let base = base(of: stage, index)
    parts.append("from: \(base.code)")
    let platform = platform(of: stage)
    if let platform { parts.append("platform: \(platform.code)") }
    let converter = StepConverter(
      normalization: normalization, graph: graph, index: index, stages: stages,
      identifiers: identifiers)
    var steps: [Step] = []
    var body = ""
    for step in stage.steps {
      let isApart = step.comments.contains("")
      let comments =
        (isApart ? "\n" : "") + Self.comments(step.comments + step.innerComments.map(\.text))
      do {
        let result = try converter.convert(step.instruction)
        steps.append(result.step)
        body += comments + result.code + "\n"
      } catch {
        report(error.reason, at: step.location)
        body += comments + leftOut(step, error.reason)
      }
    }
    stages.append(
      Stage(
        name: isNamed ? name : nil, base: base.image, platform: platform?.value, steps: steps,
        outputs: [], location: stage.location ?? SourceLocation(file: "", line: 1, column: 1)))
    // Before the call stand four blanks and "let … =", after it " {".
    let width = SwiftLiteral.width - 15 - identifiers[index].utf8.count
    let head = SwiftCode("Stage", parts, width: width).text
    guard !body.isEmpty else { return head }
    let isBlankFirst = body.hasPrefix("\n")
    return head + " {\n"
      + SwiftCode.indented(String(body.dropFirst(isBlankFirst ? 1 : 0).dropLast()))
      + "\n}"
  }

  private mutating func base(
    of stage: StageGraph.Stage, _ index: Int
  ) -> (code: String, image: BaseImage) {
    let raw = stage.base.raw
    if let found = graph.stageNamed(raw, before: index) {
      return (identifiers[found], stages[found].tree)
    }
    if raw == "scratch" { return (".scratch", BaseImage.scratch) }
    guard let pieces = WordPieces(stage.base, escape: graph.directives.escape),
      pieces.pieces.allSatisfy({ piece in
        if case .reference(let name) = piece { argument(name) != nil } else { true }
      })
    else {
      let used = arguments.filter { raw.contains($0.name) }
      let list =
        (["\(SwiftLiteral.string(raw))"]
          + (used.isEmpty ? [] : ["using: \(used.map(\.identifier).joined(separator: ", "))"]))
      let reference = ImageReference.spelled(raw, using: used.map(\.value))
      if let problem = reference.problem { report(problem, at: stage.location) }
      return (".image(.spelled(\(list.joined(separator: ", "))))", BaseImage.image(reference))
    }
    var interpolation = ImageReference.StringInterpolation(
      literalCapacity: 0, interpolationCount: 0)
    for piece in pieces.pieces {
      switch piece {
      case .text(let text): interpolation.appendLiteral(text)
      case .reference(let name):
        if let argument = argument(name) { interpolation.appendInterpolation(argument.value) }
      }
    }
    let reference = ImageReference(stringInterpolation: interpolation)
    if let problem = reference.problem { report(problem, at: stage.location) }
    let literal =
      pieces.literal.map(SwiftLiteral.string)
      ?? SwiftWords.interpolated(pieces) { argument($0)?.code ?? "" }
    return (".image(\(literal))", BaseImage.image(reference))
  }

  /// A global argument, or one that is there without a declaration (S7).
  private func argument(_ name: String) -> (code: String, value: BuildArgument)? {
    if let known = arguments.first(where: { $0.name == name }) {
      return (known.identifier, known.value)
    }
    guard BuildArgument.automaticNames.contains(name) else { return nil }
    return ("BuildArgument(\(SwiftLiteral.string(name)))", BuildArgument(name))
  }

  private mutating func platform(
    of stage: StageGraph.Stage
  ) -> (code: String, value: StagePlatform)? {
    guard let word = stage.platform else { return nil }
    let normal = normalization.word(word)
    switch normal.raw {
    case "${BUILDPLATFORM}": return (".build", .build)
    case "${TARGETPLATFORM}": return (".target", .target)
    default: break
    }
    let parts = normal.raw.split(separator: "/", omittingEmptySubsequences: false)
    if (2...3).contains(parts.count), parts[0] == "linux", !normal.raw.contains("$") {
      let literals = parts.dropFirst().map { SwiftLiteral.string(String($0)) }
      let variant = literals.count == 2 ? ", variant: \(literals[1])" : ""
      return (
        ".linux(\(literals[0])\(variant))",
        .linux(String(parts[1]), variant: parts.count == 3 ? String(parts[2]) : nil)
      )
    }
    do {
      return (".spelled(\(try words.word(word)))", .spelled(normal))
    } catch {
      report(error.reason, at: stage.location)
      return nil
    }
  }

  // MARK: - The whole

  private func target(_ companions: [Int]) -> Stage {
    let last = stages[stages.count - 1]
    return companions.isEmpty ? last : last.alongside(companions.map { stages[$0] })
  }

  /// The stages that the image itself does not use, or all others where their order matters.
  private func companions() -> [Int] {
    let all = Array(stages.indices.dropLast())
    let used = StageOrder(target: target([])).stages
    if used == stages { return [] }
    let unused = all.filter { !used.contains(stages[$0]) }
    let order = StageOrder(target: target(unused)).stages
    return order.dropLast() == stages.dropLast()[...] ? unused : all
  }

  /// Makes the graph of what the source stands for, and says where it is another one.
  private mutating func check(_ companions: [Int]) {
    guard diagnostics.isEmpty else { return }
    do {
      let made = try StageGraph(target: target(companions), arguments: arguments.map(\.value))
      if made.normalized != graph.normalized {
        report("the program does not come to the same graph", at: graph.stages.first?.location)
      }
    } catch {
      report(error.message, at: error.location)
    }
  }

  // MARK: - Comments

  private mutating func report(_ reason: String, at location: SourceLocation?) {
    diagnostics.append(
      Diagnostic(
        "a part of the Dockerfile is not in the program: \(reason)", severity: .warning,
        at: location))
  }

  private func leftOut(_ step: StageGraph.Step, _ reason: String) -> String {
    let printer = InstructionPrinter(
      escape: graph.directives.escape, breaksLines: false, location: step.location)
    let text = (try? printer.text(of: step.instruction)) ?? step.instruction.keyword
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return "// \(place(step.location)) is not in the program: \(reason)\n"
      + lines.map { "//   \($0)\n" }.joined()
  }

  private func place(_ location: SourceLocation?) -> String {
    location.map { "\($0.file):\($0.line)" } ?? "an instruction"
  }

  /// Comment lines of a Dockerfile as those of Swift, each with its line feed.
  private static func comments(_ lines: [String]) -> String {
    withoutBlankEdges(lines).map { line in
      guard !line.isEmpty else { return "\n" }
      let text = line.drop { $0 == "#" }.drop { $0 == " " }
      return text.isEmpty ? "//\n" : "// \(text)\n"
    }.joined()
  }

  private static func withoutBlankEdges(_ lines: [String]) -> ArraySlice<String> {
    var lines = lines[...]
    while lines.first?.isEmpty == true { lines.removeFirst() }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
