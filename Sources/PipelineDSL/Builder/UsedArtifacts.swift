/// What each stage has to leave behind: what it promised, what others take from it, and the
/// programs that it is to start.
struct UsedArtifacts {
  private struct Key: Hashable {
    let kind: ArtifactDeclaration.Kind
    let path: String
  }

  private var declarations: [Stage: [ArtifactDeclaration]] = [:]
  private var known: [Stage: Set<Key>] = [:]

  init(_ order: StageOrder) {
    for stage in order.stages {
      for output in stage.declaration.outputs { add(output, to: stage) }
    }
    for stage in order.stages {
      for step in stage.declaration.steps { add(step, of: stage) }
    }
  }

  subscript(stage: Stage) -> [ArtifactDeclaration] { declarations[stage] ?? [] }

  private mutating func add(_ step: Step, of stage: Stage) {
    switch step.action {
    case .copy(_, let origin, let artifact): add(artifact, in: origin)
    case .run(_, _, let mounts):
      for mount in mounts { add(mount.artifact, in: mount.origin) }
    case .start(_, let executable, _):
      add(executable.declaration, in: executable.origin)
      // Whether a destination is a directory, so that the program lies below it, shows at the end.
      if let path = try? ExecutablePath(executable, in: stage).path(for: step) {
        add(ArtifactDeclaration(.executable, at: path, location: step.location), to: stage)
      }
    case .instruction, .onBuild: break
    }
  }

  private mutating func add(_ artifact: ArtifactDeclaration?, in origin: BaseImage?) {
    guard let artifact, case .stage(let stage) = origin?.kind else { return }
    add(artifact, to: stage)
  }

  private mutating func add(_ artifact: ArtifactDeclaration, to stage: Stage) {
    let key = Key(kind: artifact.kind, path: artifact.path)
    guard known[stage, default: []].insert(key).inserted else { return }
    declarations[stage, default: []].append(artifact)
  }
}
