extension StageGraph {
  /// Makes the graph of a program's image.
  ///
  /// Only what the image uses is in it. Nothing runs.
  ///
  /// ```swift
  /// let graph = try StageGraph(LightPython())
  /// let text = try DockerfilePrinter.print(graph)
  /// ```
  ///
  /// - Throws: a diagnostic at the declaration that contradicts itself or another one.
  public init(_ image: some ContainerImage) throws(Diagnostic) {
    try self.init(target: image.image(), arguments: image.arguments)
    sourceDateEpoch = image.sourceDateEpoch
  }

  /// Makes the graph of a stage and of everything that it uses.
  ///
  /// - Throws: a diagnostic at the declaration that contradicts itself or another one.
  public init(
    target: PipelineDSL.Stage, arguments: [BuildArgument] = []
  ) throws(Diagnostic) {
    let order = StageOrder(target: target)
    try Self.checkContexts(order.contexts)
    let resolver = StepResolver(
      names: try StageNames(order), artifacts: UsedArtifacts(order))
    var globals: [ArgumentDeclaration] = []
    var places: [SourceLocation?] = []
    var stages: [Stage] = []
    for argument in arguments {
      try Self.declare(
        argument, at: target.declaration.location, in: &globals, places: &places)
    }
    for stage in order.stages {
      let base = stage.declaration.base
      if case .image(let reference) = base.kind {
        for argument in reference.arguments {
          try Self.declare(argument, at: base.location, in: &globals, places: &places)
        }
      }
      stages.append(try resolver.stage(stage))
    }
    self.init(
      globals: zip(globals, places).map { Step(.argument([$0]), at: $1) }, stages: stages)
  }

  /// Declares an argument before the first `FROM`, where the bases can see it (S6).
  private static func declare(
    _ argument: BuildArgument, at location: SourceLocation?,
    in globals: inout [ArgumentDeclaration], places: inout [SourceLocation?]
  ) throws(Diagnostic) {
    guard let index = globals.firstIndex(where: { $0.name == argument.name }) else {
      if BuildArgument.automaticNames.contains(argument.name) { return }
      globals.append(ArgumentDeclaration(argument.name, argument.defaultValue))
      places.append(location)
      return
    }
    guard globals[index].defaultValue == argument.defaultValue else {
      throw Diagnostic(
        "the argument '\(argument.name)' has two different defaults", at: location,
        notes: [Diagnostic.Note("the other one is used here", at: places[index])],
        help: "declare it once with 'let' and use that value in both places")
    }
  }

  private static func checkContexts(_ contexts: [BuildContext]) throws(Diagnostic) {
    var sources: [String: BuildContext] = [:]
    for context in contexts {
      guard let name = context.name, let other = sources.updateValue(context, forKey: name) else {
        continue
      }
      throw Diagnostic(
        "the build context '\(name)' has two sources", at: context.location,
        notes: [Diagnostic.Note("the other one is declared here", at: other.location)],
        help: "declare it once with 'let' and use that value in both places")
    }
  }
}
