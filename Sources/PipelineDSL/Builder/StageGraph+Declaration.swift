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
  /// - Throws: a diagnostic at the declaration that contradicts itself or another one, or whatever
  ///   the image's declaration throws.
  public init(_ image: some ContainerImage) throws {
    self = try ImageDeclaration(image).graph
  }

  /// Makes the graph of a stage and of everything that it uses.
  ///
  /// - Throws: a diagnostic at the declaration that contradicts itself or another one.
  public init(
    target: PipelineDSL.Stage, arguments: [BuildArgument] = []
  ) throws(Diagnostic) {
    let order = StageOrder(target: target)
    try Self.checkContexts(order.contexts)
    let globals = try GlobalArguments(
      order, declared: arguments, at: target.declaration.location)
    var resolver = StepResolver(
      names: try StageNames(order), artifacts: UsedArtifacts(order), globals: globals)
    var stages: [Stage] = []
    for stage in order.stages { stages.append(try resolver.stage(stage)) }
    self.init(globals: globals.steps, stages: stages)
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
