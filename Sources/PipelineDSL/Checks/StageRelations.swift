/// Which stages come from which others, as far as names tell.
struct StageRelations: Sendable {
  /// The variables that `FROM` sees, with the defaults of the file.
  let globals: StageVariables
  /// The stage in the file that each one starts from.
  private(set) var parents: [Int?] = []
  /// The stages that each one copies or mounts from.
  private(set) var sources: [[Int]] = []
  /// What each `FROM` names once its variables have their defaults.
  private(set) var bases: [String?] = []
  private var finalVariables: [StageVariables] = []
  private let escape: Unicode.Scalar

  /// The arguments every build has (S7).
  static let automaticNames =
    ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"].flatMap { ["TARGET\($0)", "BUILD\($0)"] }
    + ["TARGETSTAGE"]

  init(_ graph: StageGraph) {
    escape = graph.directives.escape
    var globals = StageVariables(isComplete: true, escape: escape)
    for name in Self.automaticNames { globals.set(name, nil) }
    for step in graph.globals { globals.take(step.instruction, globals: globals) }
    self.globals = globals
    for (index, stage) in graph.stages.enumerated() {
      let base = globals.expand(stage.base)
      bases.append(base)
      parents.append(base.flatMap { name in graph.stages[..<index].lastIndex { $0.name == name } })
      sources.append(Self.sources(of: stage, index, in: graph))
      var variables = variablesAtStart(of: index)
      for step in stage.steps { variables.take(step.instruction, globals: globals) }
      finalVariables.append(variables)
    }
  }

  /// The variables of a stage before its first instruction.
  func variablesAtStart(of stage: Int) -> StageVariables {
    if let parent = parents[stage] { return finalVariables[parent] }
    return StageVariables(isComplete: bases[stage] == "scratch", escape: escape)
  }

  /// The stage and those it starts from, nearest first.
  func lineage(of stage: Int) -> [Int] {
    Array(sequence(first: stage) { parents[$0] })
  }

  /// The stages that a build of the last one needs.
  var reachable: Set<Int> {
    var found: Set<Int> = []
    var open = parents.isEmpty ? [] : [parents.count - 1]
    while let stage = open.popLast() {
      guard found.insert(stage).inserted else { continue }
      open += sources[stage]
      if let parent = parents[stage] { open.append(parent) }
    }
    return found
  }

  private static func sources(
    of stage: StageGraph.Stage, _ index: Int, in graph: StageGraph
  ) -> [Int] {
    stage.steps.flatMap(\.instruction.sourceNames).compactMap { name, isMount in
      let lower = name.lowercased()
      if let found = graph.stages[..<index].lastIndex(where: { $0.name == lower }) { return found }
      // Only COPY counts stages (S3).
      guard !isMount, let number = Int(name), (0..<index).contains(number) else { return nil }
      return number
    }
  }
}

extension Instruction {
  /// What the instruction takes files from by name, and whether it mounts them.
  var sourceNames: [(name: String, isMount: Bool)] {
    switch self {
    case .copy(let copy): copy.from.map { [($0, false)] } ?? []
    case .run(let run): run.mounts.compactMap { mount in mount.from.map { ($0, true) } }
    case .onBuild(let trigger):
      (try? DockerfileParser.parseTrigger(trigger.text, at: nil))?.sourceNames ?? []
    default: []
    }
  }
}
