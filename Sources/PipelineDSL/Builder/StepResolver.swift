/// Turns declared stages into stages of the graph: references become names.
struct StepResolver {
  let names: StageNames
  let artifacts: UsedArtifacts
  /// The arguments that stand before the first `FROM`.
  let globals: GlobalArguments
  private var environments: [Stage: StageEnvironment] = [:]

  init(names: StageNames, artifacts: UsedArtifacts, globals: GlobalArguments) {
    self.names = names
    self.artifacts = artifacts
    self.globals = globals
  }

  /// Resolves a stage; the stages it uses have been resolved before.
  mutating func stage(_ stage: Stage) throws(Diagnostic) -> StageGraph.Stage {
    let declaration = stage.declaration
    for artifact in artifacts[stage] where !artifact.path.hasPrefix("/") {
      throw Diagnostic(
        "'\(artifact.path)' is not an absolute path", at: artifact.location,
        help: "an artifact of a stage is named by its path from '/'")
    }
    var environment = StageEnvironment()
    if case .stage(let base) = declaration.base.kind {
      environment = environments[base]?.inherited ?? StageEnvironment()
    }
    var steps: [StageGraph.Step] = []
    for step in declaration.steps {
      for argument in try environment.undeclared(in: step) {
        let instruction = Instruction.argument([globals.declaration(of: argument)])
        steps.append(
          StageGraph.Step(
            step.isTrigger ? try trigger(for: instruction, at: step.location) : instruction,
            at: step.location))
      }
      let instruction = try instruction(of: step, in: stage, shell: environment.shell)
      environment.note(instruction)
      steps.append(StageGraph.Step(instruction, at: step.location))
    }
    environments[stage] = environment
    return StageGraph.Stage(
      name: names[stage], base: try base(of: declaration), platform: declaration.platform?.word,
      steps: steps, artifacts: artifacts[stage], location: declaration.location)
  }

  private func base(of declaration: Stage.Declaration) throws(Diagnostic) -> Word {
    let base = declaration.base
    if let problem = base.problem { throw problem }
    switch base.kind {
    case .scratch: return Word(raw: "scratch")
    case .stage(let stage): return Word(raw: names[stage] ?? "")
    case .image(let reference): return Word(raw: reference.text)
    case .context(let context):
      guard let name = context.name else {
        throw Diagnostic(
          "a stage cannot start from the main build context", at: declaration.location,
          help: "start from '.scratch' and copy what is needed")
      }
      try context.check()
      return Word(raw: name)
    }
  }

  private func instruction(
    of step: Step, in stage: Stage, shell: ShellFlavor
  ) throws(Diagnostic) -> Instruction {
    if var problem = step.problem {
      problem.location = problem.location ?? step.location
      throw problem
    }
    let instruction: Instruction
    switch step.action {
    case .instruction(.argument(let declarations)):
      instruction = .argument(declarations.map(globals.withoutRepeatedDefault))
    case .instruction(let other): instruction = other
    case .copy(var copy, let origin, _):
      copy.from = try name(of: origin, for: step)
      instruction = .copy(copy)
    case .run(var run, let script, let mounts):
      if let script {
        if shell == .other, script.hasValues { throw Self.foreignShell(at: step.location) }
        let command = script.instruction(for: shell)
        run.command = command.command
        run.heredocs = command.heredocs
      }
      for mount in mounts { run.mounts.append(try self.mount(mount, for: step)) }
      instruction = .run(run)
    case .start(let kind, let executable, let arguments):
      let path = try ExecutablePath(executable, in: stage).path(for: step)
      switch kind {
      case .entrypoint: instruction = .entrypoint(.exec([path] + arguments))
      case .command: instruction = .command(.exec([path] + arguments))
      }
    case .onBuild(let triggers):
      return try trigger(triggers, for: step, in: stage, shell: shell)
    }
    try InstructionCheck(step.location).check(instruction)
    return instruction
  }

  private static func foreignShell(at location: SourceLocation?) -> Diagnostic {
    Diagnostic(
      "values in this text are quoted for a shell, but the stage's 'Shell' is another program",
      at: location,
      help: "insert them with '\\(raw:)', or run the program with 'Run(\"program\", \"argument\")'")
  }

  private func mount(_ mount: RunMount, for step: Step) throws(Diagnostic) -> Mount {
    var fields = [Mount.Field("type", Word(literal: mount.type))]
    if let origin = mount.origin, let name = try name(of: origin, for: step) {
      fields.append(Mount.Field("from", Word(literal: name)))
    }
    return Mount(fields + mount.fields)
  }

  /// What `from` says for a tree; nil for the main build context.
  private func name(of tree: BaseImage, for step: Step) throws(Diagnostic) -> String? {
    if let problem = tree.problem { throw problem }
    switch tree.kind {
    case .scratch:
      throw Diagnostic("'.scratch' is empty: there is nothing to copy", at: step.location)
    case .stage(let stage): return names[stage]
    case .image(let reference):
      guard reference.arguments.isEmpty else {
        throw Diagnostic(
          "'\(reference.text)' has an argument, which only the base of a stage can have",
          at: step.location, help: "declare a stage from this image and copy from that")
      }
      return reference.text
    case .context(let context):
      try context.check()
      return context.name
    }
  }

  // MARK: - Triggers

  private func trigger(
    _ triggers: [Step], for step: Step, in stage: Stage, shell: ShellFlavor
  ) throws(Diagnostic) -> Instruction {
    guard let trigger = triggers.first, triggers.count == 1 else {
      throw Diagnostic("'OnBuild' holds no step", at: step.location)
    }
    let location = trigger.location ?? step.location
    for tree in StageOrder.trees(of: trigger) {
      if case .stage = tree.kind {
        throw Diagnostic(
          "a trigger runs in other builds, which do not have this build's stages", at: location,
          help: "copy what it needs into this stage")
      }
    }
    let instruction = try instruction(of: trigger, in: stage, shell: shell)
    switch instruction {
    case .onBuild, .maintainer:
      throw Diagnostic("\(instruction.keyword) cannot be a trigger", at: location)
    default: return try self.trigger(for: instruction, at: location)
    }
  }

  private func trigger(
    for instruction: Instruction, at location: SourceLocation?
  ) throws(Diagnostic) -> Instruction {
    let printer = InstructionPrinter(escape: "\\", breaksLines: false, location: location)
    return .onBuild(OnBuildInstruction(try printer.text(of: instruction)))
  }
}
