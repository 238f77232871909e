/// The stages that a target needs, each after everything it uses.
///
/// The order is that of first use, so it depends on nothing but the declaration.
struct StageOrder {
  let stages: [Stage]

  init(target: Stage) {
    var stages: [Stage] = []
    // A stack of our own: a chain of stages may be longer than the thread's stack is deep.
    var pending: [(stage: Stage, uses: [Stage], next: Int)] = [(target, Self.uses(of: target), 0)]
    var isEntered: Set<Stage> = [target]
    while let (stage, uses, next) = pending.popLast() {
      guard next < uses.count else {
        stages.append(stage)
        continue
      }
      pending.append((stage, uses, next + 1))
      let used = uses[next]
      if isEntered.insert(used).inserted { pending.append((used, Self.uses(of: used), 0)) }
    }
    self.stages = stages
  }

  /// The named contexts that the stages use, in order of first use.
  var contexts: [BuildContext] {
    var contexts: [BuildContext] = []
    var known: Set<[String?]> = []
    for stage in stages {
      for tree in Self.trees(of: stage) {
        if case .context(let context) = tree.kind, context.name != nil,
          known.insert([context.name, context.source]).inserted
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
    case .run(_, _, let mounts): mounts.compactMap(\.origin)
    case .start(_, let executable, _): [executable.origin]
    case .onBuild(let steps): steps.flatMap(trees)
    }
  }

  private static func uses(of stage: Stage) -> [Stage] {
    let used = stages(in: trees(of: stage))
    let companions = stage.declaration.companions
    // Whoever names a stage that is used anyway wants the order in which they are named.
    return companions.contains(where: used.contains) ? companions + used : used + companions
  }

  static func stages(in trees: [BaseImage]) -> [Stage] {
    trees.compactMap { tree in
      if case .stage(let used) = tree.kind { used } else { nil }
    }
  }
}
