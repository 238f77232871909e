/// What each stage has to leave behind: what it promised, and what others take from it.
struct UsedArtifacts {
  private var declarations: [Stage: [ArtifactDeclaration]] = [:]

  init(_ order: StageOrder) {
    for stage in order.stages {
      for output in stage.declaration.outputs { add(output, to: stage) }
    }
    for stage in order.stages {
      for step in stage.declaration.steps { add(step) }
    }
  }

  subscript(stage: Stage) -> [ArtifactDeclaration] { declarations[stage] ?? [] }

  private mutating func add(_ step: Step) {
    switch step.action {
    case .copy(_, let origin, let artifact): add(artifact, in: origin)
    case .run(_, let mounts):
      for mount in mounts { add(mount.artifact, in: mount.origin) }
    case .start(_, let executable, _): add(executable.declaration, in: executable.origin)
    case .instruction, .onBuild: break
    }
  }

  private mutating func add(_ artifact: ArtifactDeclaration?, in origin: BaseImage?) {
    guard let artifact, case .stage(let stage) = origin?.kind else { return }
    add(artifact, to: stage)
  }

  private mutating func add(_ artifact: ArtifactDeclaration, to stage: Stage) {
    let isKnown = self[stage].contains { $0.kind == artifact.kind && $0.path == artifact.path }
    if !isKnown { declarations[stage, default: []].append(artifact) }
  }
}
