/// What rules look at: a graph, and what is known around it.
package struct CheckInput: Sendable {
  package let graph: StageGraph
  /// The file's text where the graph was read from one.
  package let source: SourceText?
  /// The rules of the context's ignore file.
  package let ignore: IgnorePatterns?
  let relations: StageRelations

  /// Gathers what is known before a build.
  package init(_ graph: StageGraph, source: SourceText? = nil, ignore: IgnorePatterns? = nil) {
    self.graph = graph
    self.source = source
    self.ignore = ignore
    relations = StageRelations(graph)
  }

  /// An instruction and where it stands in the graph.
  struct PlacedStep {
    var stage: Int
    var index: Int
    var step: StageGraph.Step

    var location: SourceLocation? { step.location }
  }

  /// All instructions in stages, in order.
  var steps: [PlacedStep] {
    graph.stages.indices.flatMap { stage in
      graph.stages[stage].steps.enumerated().map {
        PlacedStep(stage: stage, index: $0.offset, step: $0.element)
      }
    }
  }

  /// Calls a function with each instruction of a stage and the variables as they are before it.
  func walk(
    _ stage: Int, _ body: (PlacedStep, StageVariables) -> Void
  ) {
    var variables = relations.variablesAtStart(of: stage)
    for (index, step) in graph.stages[stage].steps.enumerated() {
      body(PlacedStep(stage: stage, index: index, step: step), variables)
      variables.take(step.instruction, globals: relations.globals)
    }
  }

  /// As ``walk(_:_:)``, over all stages.
  func walk(_ body: (PlacedStep, StageVariables) -> Void) {
    for stage in graph.stages.indices { walk(stage, body) }
  }

  // MARK: - Places

  /// The place of a piece of text within a location; all of it where the text is not found there.
  func place(of text: String, in location: SourceLocation?) -> SourceLocation? {
    guard let location, let source, let range = source.range(of: location),
      let found = source.find(text, in: range)
    else { return location }
    return source.location(of: found, in: location)
  }

  /// The place of a reference to a variable.
  func place(ofVariable name: String, in location: SourceLocation?) -> SourceLocation? {
    for spelling in ["$\(name)", "${\(name)"] {
      let place = place(of: spelling, in: location)
      if place != location { return place }
    }
    return location
  }

  /// The place of the keyword that a location begins with.
  func keyword(at location: SourceLocation?) -> SourceLocation? {
    guard let location, let source, let range = source.range(of: location),
      let word = source.words(in: range).first
    else { return location }
    return source.location(of: word, in: location)
  }
}
