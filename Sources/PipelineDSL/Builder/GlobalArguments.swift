/// The arguments that the bases of stages refer to: `ARG` before the first `FROM` (S6).
struct GlobalArguments {
  private var declarations: [ArgumentDeclaration] = []
  private var places: [SourceLocation?] = []

  /// Collects the arguments that the image declares and those of all bases, in order of first use.
  ///
  /// - Throws: a diagnostic for a name that is none, and for one argument with two defaults.
  init(
    _ order: StageOrder, declared: [BuildArgument] = [], at location: SourceLocation? = nil
  ) throws(Diagnostic) {
    for argument in declared { try declare(argument, at: location) }
    for stage in order.stages {
      let base = stage.declaration.base
      if case .image(let reference) = base.kind {
        for argument in reference.arguments { try declare(argument, at: base.location) }
      }
    }
  }

  /// The instructions of the graph.
  var steps: [StageGraph.Step] {
    zip(declarations, places).map { StageGraph.Step(.argument([$0]), at: $1) }
  }

  /// How a stage declares an argument: with its default, unless that is global.
  func declaration(of argument: BuildArgument) -> ArgumentDeclaration {
    withoutRepeatedDefault(ArgumentDeclaration(argument.name, argument.defaultValue))
  }

  /// The declaration without its default where it would only repeat the global one.
  func withoutRepeatedDefault(_ declaration: ArgumentDeclaration) -> ArgumentDeclaration {
    declarations.contains(declaration) ? ArgumentDeclaration(declaration.name) : declaration
  }

  private mutating func declare(
    _ argument: BuildArgument, at location: SourceLocation?
  ) throws(Diagnostic) {
    if let problem = Reference.argument(argument).problem {
      throw Diagnostic(problem, at: location)
    }
    guard let index = declarations.firstIndex(where: { $0.name == argument.name }) else {
      if BuildArgument.automaticNames.contains(argument.name) { return }
      for inner in argument.defaultValue?.references.compactMap(\.argument) ?? [] {
        try declare(inner, at: location)
      }
      declarations.append(ArgumentDeclaration(argument.name, argument.defaultValue))
      places.append(location)
      return
    }
    guard declarations[index].defaultValue == argument.defaultValue else {
      var problem = argument.twoDefaults(at: location)
      problem.notes = [Diagnostic.Note("the other one is used here", at: places[index])]
      throw problem
    }
  }
}

extension BuildArgument {
  /// One name cannot stand for two values at the same place.
  func twoDefaults(at location: SourceLocation?) -> Diagnostic {
    Diagnostic(
      "the argument '\(name)' has two different defaults", at: location,
      help: "declare it once with 'let' and use that value in both places")
  }
}
