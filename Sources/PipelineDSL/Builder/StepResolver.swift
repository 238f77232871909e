/// Turns declared stages into stages of the graph: references become names.
struct StepResolver {
  let names: StageNames
  let artifacts: UsedArtifacts

  func stage(_ stage: Stage) throws(Diagnostic) -> StageGraph.Stage {
    let declaration = stage.declaration
    for artifact in artifacts[stage] where !artifact.path.hasPrefix("/") {
      throw Diagnostic(
        "'\(artifact.path)' is not an absolute path", at: artifact.location,
        help: "an artifact of a stage is named by its path from '/'")
    }
    var steps: [StageGraph.Step] = []
    for step in declaration.steps {
      steps.append(
        StageGraph.Step(try instruction(of: step, in: stage), at: step.location))
    }
    return StageGraph.Stage(
      name: names[stage], base: try base(of: declaration), platform: declaration.platform?.word,
      steps: steps, artifacts: artifacts[stage], location: declaration.location)
  }

  private func base(of declaration: Stage.Declaration) throws(Diagnostic) -> Word {
    let base = declaration.base
    switch base.kind {
    case .scratch: return Word(raw: "scratch")
    case .stage(let stage): return Word(raw: names[stage] ?? "")
    case .image(let reference):
      if let problem = reference.problem { throw Diagnostic(problem, at: base.location) }
      return Word(raw: reference.text)
    case .context(let context):
      guard let name = context.name else {
        throw Diagnostic(
          "a stage cannot start from the main build context", at: declaration.location,
          help: "start from '.scratch' and copy what is needed")
      }
      try check(contextName: name, at: context.location)
      return Word(raw: name)
    }
  }

  private func instruction(
    of step: Step, in stage: Stage
  ) throws(Diagnostic) -> Instruction {
    if var problem = step.problem {
      problem.location = problem.location ?? step.location
      throw problem
    }
    switch step.action {
    case .instruction(let instruction): return instruction
    case .copy(var copy, let origin, _):
      copy.from = try name(of: origin, for: step)
      return .copy(copy)
    case .run(var run, let mounts):
      for mount in mounts { run.mounts.append(try self.mount(mount, for: step)) }
      return .run(run)
    case .start(let kind, let executable, let arguments):
      let path = try ExecutablePath(executable, in: stage).path(for: step)
      switch kind {
      case .entrypoint: return .entrypoint(.exec([path] + arguments))
      case .command: return .command(.exec([path] + arguments))
      }
    case .onBuild(let triggers): return try trigger(triggers, for: step, in: stage)
    }
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
    switch tree.kind {
    case .scratch:
      throw Diagnostic("'.scratch' is empty: there is nothing to copy", at: step.location)
    case .stage(let stage): return names[stage]
    case .image(let reference):
      if let problem = reference.problem { throw Diagnostic(problem, at: tree.location) }
      guard reference.arguments.isEmpty else {
        throw Diagnostic(
          "'\(reference.text)' has an argument, which only the base of a stage can have",
          at: step.location, help: "declare a stage from this image and copy from that")
      }
      return reference.text
    case .context(let context):
      if let name = context.name { try check(contextName: name, at: context.location) }
      return context.name
    }
  }

  private func check(
    contextName name: String, at location: SourceLocation?
  ) throws(Diagnostic) {
    let isWellFormed =
      !name.isEmpty && !name.utf8.allSatisfy { (48...57).contains($0) }
      && name.utf8.allSatisfy {
        (97...122).contains($0) || (48...57).contains($0) || "-_./:".utf8.contains($0)
      }
    guard isWellFormed, name != "scratch", name != "context" else {
      throw Diagnostic(
        "'\(name)' cannot be the name of a build context", at: location,
        help: "use small letters, digits, '-', '_' and '.', and not digits alone")
    }
  }

  private func trigger(
    _ triggers: [Step], for step: Step, in stage: Stage
  ) throws(Diagnostic) -> Instruction {
    guard let trigger = triggers.first, triggers.count == 1 else {
      throw Diagnostic("'OnBuild' holds no step", at: step.location)
    }
    for tree in StageOrder.trees(of: trigger) {
      if case .stage = tree.kind {
        throw Diagnostic(
          "a trigger runs in other builds, which do not have this build's stages",
          at: trigger.location ?? step.location)
      }
    }
    let instruction = try instruction(of: trigger, in: stage)
    switch instruction {
    case .onBuild, .maintainer:
      throw Diagnostic(
        "\(instruction.keyword) cannot be a trigger", at: trigger.location ?? step.location)
    default:
      let printer = InstructionPrinter(
        escape: "\\", breaksLines: false, location: trigger.location ?? step.location)
      return .onBuild(OnBuildInstruction(try printer.text(of: instruction)))
    }
  }
}
