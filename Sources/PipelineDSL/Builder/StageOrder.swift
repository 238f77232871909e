/// The stages that a target needs, each after everything it uses.
///
/// The order is that of first use, so it depends on nothing but the declaration.
struct StageOrder {
  let stages: [Stage]

  init(target: Stage) {
    var stages: [Stage] = []
    var isFinished: Set<Stage> = []
    // A stack of our own: a chain of stages may be longer than the thread's stack is deep.
    var pending: [(stage: Stage, uses: [Stage])] = [(target, Self.uses(of: target).reversed())]
    var isEntered: Set<Stage> = [target]
    while let (stage, uses) = pending.popLast() {
      guard let next = uses.last else {
        if isFinished.insert(stage).inserted { stages.append(stage) }
        continue
      }
      pending.append((stage, uses.dropLast()))
      if isEntered.insert(next).inserted {
        pending.append((next, Self.uses(of: next).reversed()))
      }
    }
    self.stages = stages
  }

  /// The named contexts that the stages use, in order of first use.
  var contexts: [BuildContext] {
    var contexts: [BuildContext] = []
    for stage in stages {
      for tree in Self.trees(of: stage) {
        if case .context(let context) = tree.kind, context.name != nil,
          !contexts.contains(where: { $0.name == context.name && $0.source == context.source })
        {
          contexts.append(context)
        }
      }
    }
    return contexts
  }

  /// Everything that a stage reads from, its base first.
  static func trees(of stage: Stage) -> [BaseImage] {
    [stage.declaration.base] + stage.declaration.steps.flatMap(trees)
  }

  static func trees(of step: Step) -> [BaseImage] {
    switch step.action {
    case .instruction: []
    case .copy(_, let origin, _): [origin]
    case .run(_, let mounts): mounts.compactMap(\.origin)
    case .start(_, let executable, _): [executable.origin]
    case .onBuild(let steps): steps.flatMap(trees)
    }
  }

  private static func uses(of stage: Stage) -> [Stage] {
    let used = trees(of: stage).compactMap { tree in
      if case .stage(let used) = tree.kind { used } else { nil }
    }
    let companions = stage.declaration.companions
    // Whoever names a stage that is used anyway wants the order in which they are named.
    return companions.contains(where: used.contains) ? companions + used : used + companions
  }
}
