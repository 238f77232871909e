extension StageGraph {
  /// The graph in the one spelling that the builder uses for what can be spelled in several ways.
  ///
  /// Two graphs that are equal in this form make the same image, layer for layer:
  /// - words that say the same have one spelling, and the escape character is a backslash;
  /// - each global `ARG` declares one argument; comments and directives are gone;
  /// - stages are referred to by name, and those that have none get one where it is needed;
  /// - a mount's fields are in one order, with `type` and the cache's id written out;
  /// - an argument of a stage has no default where that is the global one;
  /// - durations are in milliseconds; the old form of `ENV` and `LABEL` is the one with `=`.
  package var normalized: StageGraph {
    let normalization = GraphNormalization(self)
    return StageGraph(
      globals: globals.flatMap(normalization.global),
      stages: stages.indices.map(normalization.stage))
  }
}

/// Puts one graph into its normal form.
struct GraphNormalization {
  private let graph: StageGraph
  private let escape: Unicode.Scalar
  /// The name that each stage can be referred to by, nil where nothing refers to it.
  let names: [String?]

  init(_ graph: StageGraph) {
    self.graph = graph
    escape = graph.directives.escape
    var used = Set<Int>()
    for (index, stage) in graph.stages.enumerated() {
      if let base = graph.stageNamed(stage.base.raw, before: index) { used.insert(base) }
      for step in stage.steps {
        for from in StageReference.all(in: step.instruction) {
          if let source = graph.stageReferred(from, before: index) { used.insert(source) }
        }
      }
    }
    let written = graph.stages.map(\.name)
    names = graph.stages.indices.map { index in
      // Of several stages with one name the last one has it.
      let name = written[index].flatMap { name in
        written[(index + 1)...].contains(name) ? nil : name
      }
      return name ?? (used.contains(index) ? "stage-\(index)" : nil)
    }
  }

  func global(_ step: StageGraph.Step) -> [StageGraph.Step] {
    guard case .argument(let declarations) = step.instruction else { return [step] }
    return declarations.map { StageGraph.Step(.argument([declaration($0)])) }
  }

  func stage(_ index: Int) -> StageGraph.Stage {
    let stage = graph.stages[index]
    let base = graph.stageNamed(stage.base.raw, before: index).flatMap { names[$0] }
    return StageGraph.Stage(
      name: names[index], base: base.map { Word(raw: $0) } ?? word(stage.base),
      platform: stage.platform.map(word),
      steps: stage.steps.map { StageGraph.Step(instruction($0.instruction, in: index)) })
  }

  func word(_ word: Word) -> Word { WordPieces(word, escape: escape)?.word ?? word }

  func instruction(_ instruction: Instruction, in index: Int) -> Instruction {
    switch instruction {
    case .add(var add):
      add.sources = add.sources.map(source)
      add.destination = operand(add.destination)
      add.owner = add.owner.map(word)
      add.mode = add.mode.map(word)
      add.checksum = add.checksum.map(word)
      return .add(add)
    case .copy(var copy):
      copy.from = name(copy.from, allowsIndex: true, in: index)
      copy.sources = copy.sources.map(source)
      copy.destination = operand(copy.destination)
      copy.owner = copy.owner.map(word)
      copy.mode = copy.mode.map(word)
      return .copy(copy)
    case .argument(let declarations):
      return .argument(declarations.map { withoutRepeatedDefault(declaration($0)) })
    case .environment(let assignments): return .environment(normalized(assignments))
    case .label(let assignments): return .label(normalized(assignments))
    case .expose(let ports):
      // A quoted port does not split, so that quotes mean something here (V6).
      return .expose(ports.map { $0.raw.contains { "\"'".contains($0) } ? $0 : word($0) })
    case .healthcheck(.command(let command, let options)):
      return .healthcheck(.command(command, normalized(options)))
    case .run(var run):
      run.mounts = run.mounts.map { mount($0, in: index) }
      return .run(run)
    case .stopSignal(let value): return .stopSignal(word(value))
    case .user(let value): return .user(word(value))
    case .volume(let paths): return .volume(paths.map(operand))
    case .workingDirectory(let value): return .workingDirectory(word(value))
    case .command, .entrypoint, .healthcheck, .maintainer, .onBuild, .shell: return instruction
    }
  }

  func mount(_ mount: Mount, in index: Int) -> Mount {
    var fields = mount.fields.filter { $0.key != "type" && $0.key != "from" }
      .map { Mount.Field(Self.synonyms[$0.key] ?? $0.key, $0.value.map(word)) }
    let type = mount["type"].map(word)?.raw ?? "bind"
    if type == "cache", !fields.contains(where: { $0.key == "id" }),
      let target = fields.first(where: { $0.key == "target" })?.value
    {
      fields.append(Mount.Field("id", target))
    }
    fields = fields.map { field in
      let isSwitch = ["ro", "rw", "required"].contains(field.key)
      return isSwitch && field.value?.raw.lowercased() == "true" ? Mount.Field(field.key) : field
    }
    fields.sort { $0.key < $1.key }
    var head = [Mount.Field("type", Word(raw: type))]
    if let from = name(mount.from, allowsIndex: false, in: index) {
      head.append(Mount.Field("from", Word(raw: from)))
    }
    return Mount(head + fields)
  }

  private static let synonyms = [
    "dst": "target", "destination": "target", "src": "source", "readonly": "ro",
    "readwrite": "rw",
  ]

  private func name(_ from: String?, allowsIndex: Bool, in index: Int) -> String? {
    guard let from else { return nil }
    let reference = StageReference(text: from, allowsIndex: allowsIndex)
    return graph.stageReferred(reference, before: index).flatMap { names[$0] } ?? from
  }

  private func source(_ source: CopySource) -> CopySource {
    if case .path(let path) = source { .path(operand(path)) } else { source }
  }

  private func operand(_ value: Word) -> Word { word(value).asOperand }

  private func declaration(_ declaration: ArgumentDeclaration) -> ArgumentDeclaration {
    ArgumentDeclaration(declaration.name, declaration.defaultValue.map(word))
  }

  /// A default that only repeats the global one says nothing (S6).
  private func withoutRepeatedDefault(_ argument: ArgumentDeclaration) -> ArgumentDeclaration {
    let isRepeated = graph.globals.contains { step in
      guard case .argument(let globals) = step.instruction else { return false }
      return globals.contains { declaration($0) == argument }
    }
    return isRepeated ? ArgumentDeclaration(argument.name) : argument
  }

  private func normalized(_ assignments: Assignments) -> Assignments {
    let all = assignments.all.map { Assignment(word($0.name), word($0.value)) }
    let isSimple = assignments.all.allSatisfy { WordPieces($0.value, escape: escape) != nil }
    return Assignments(all, isLegacyForm: assignments.isLegacyForm && !isSimple)
  }

  private func normalized(
    _ options: HealthcheckInstruction.Options
  ) -> HealthcheckInstruction.Options {
    func duration(_ text: String?) -> String? {
      text.map { text in DurationText.milliseconds(text).map { "\($0)ms" } ?? text }
    }
    return HealthcheckInstruction.Options(
      interval: duration(options.interval), timeout: duration(options.timeout),
      startPeriod: duration(options.startPeriod), startInterval: duration(options.startInterval),
      retries: options.retries.map { text in Int(text).map(String.init) ?? text })
  }
}
