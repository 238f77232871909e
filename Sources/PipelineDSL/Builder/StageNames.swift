/// What each stage of a declaration is called in the graph.
struct StageNames {
  private let names: [Stage: String]

  /// Keeps the names that were given and makes one for each stage that is referred to without.
  ///
  /// - Throws: a diagnostic for a name that no stage can have, that two stages have, or that also
  ///   means an image or a context.
  init(_ order: StageOrder) throws(Diagnostic) {
    var names: [Stage: String] = [:]
    var owners: [String: Stage] = [:]
    for stage in order.stages {
      guard let name = stage.declaration.name else { continue }
      try Self.check(name, of: stage)
      if let first = owners.updateValue(stage, forKey: name) {
        throw Diagnostic(
          "two stages are called '\(name)'", at: stage.declaration.location,
          notes: [
            Diagnostic.Note("the other one is declared here", at: first.declaration.location)
          ],
          help: "give one of them another name, or none: only '--target' and printing need it")
      }
      names[stage] = name
    }
    try Self.checkMeanings(order, owners)

    var taken = Set(owners.keys)
    var referred: Set<Stage> = []
    for stage in order.stages {
      for tree in StageOrder.trees(of: stage) {
        switch tree.kind {
        case .stage(let used): referred.insert(used)
        case .image(let reference): taken.insert(reference.text)
        case .context(let context): taken.insert(context.name ?? "")
        case .scratch: break
        }
      }
    }
    for (index, stage) in order.stages.enumerated()
    where names[stage] == nil && referred.contains(stage) {
      var name = "stage-\(index)"
      while !taken.insert(name).inserted { name += "-x" }
      names[stage] = name
    }
    self.names = names
  }

  /// The name after `AS`; nil for a stage that nothing refers to.
  subscript(stage: Stage) -> String? { names[stage] }

  /// The rule for names (S1).
  private static func check(_ name: String, of stage: Stage) throws(Diagnostic) {
    let bytes = Array(name.utf8)
    let isWellFormed =
      bytes.first.map { (97...122).contains($0) } ?? false
      && bytes.allSatisfy {
        (97...122).contains($0) || (48...57).contains($0) || "-_.".utf8.contains($0)
      }
    guard isWellFormed else {
      throw Diagnostic(
        "'\(name)' cannot be the name of a stage", at: stage.declaration.location,
        help: "start with a small letter and use small letters, digits, '-', '_' and '.' only")
    }
    if name == "scratch" || name == "context" {
      throw Diagnostic(
        "'\(name)' has another meaning and cannot be the name of a stage",
        at: stage.declaration.location)
    }
  }

  /// A bare name means one thing only: a Dockerfile cannot tell a stage from an image or a context.
  private static func checkMeanings(
    _ order: StageOrder, _ owners: [String: Stage]
  ) throws(Diagnostic) {
    let contexts = Dictionary(
      order.contexts.map { ($0.name ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    var declared: Set<Stage> = []
    for stage in order.stages {
      for (index, tree) in StageOrder.trees(of: stage).enumerated() {
        switch tree.kind {
        case .image(let reference):
          if let context = contexts[reference.shortest] {
            throw Diagnostic(
              "the image '\(reference.text)' has the name of a build context",
              at: tree.location ?? stage.declaration.location,
              notes: [Diagnostic.Note("the context is declared here", at: context.location)],
              help: "rename the context: it would replace the image")
          }
          // FROM sees earlier stages only, so a stage may have the name of its own base.
          guard let other = owners[reference.text.lowercased()],
            index > 0 || declared.contains(other)
          else { continue }
          throw Diagnostic(
            "the image '\(reference.text)' has the name of a stage",
            at: tree.location ?? stage.declaration.location,
            notes: [Diagnostic.Note("the stage is declared here", at: other.declaration.location)],
            help: "rename the stage, or give the image a tag")
        case .context(let context):
          guard let name = context.name, let other = owners[name.lowercased()] else { continue }
          throw Diagnostic(
            "the build context '\(name)' has the name of a stage", at: context.location,
            notes: [Diagnostic.Note("the stage is declared here", at: other.declaration.location)],
            help: "rename one of them: a context would replace the stage")
        case .stage, .scratch: continue
        }
      }
      declared.insert(stage)
    }
  }
}
