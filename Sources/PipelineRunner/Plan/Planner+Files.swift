import PipelineDSL

extension Planner {
  /// Takes a `COPY` into a stage (section 4 of the reference).
  mutating func take(
    _ copy: CopyInstruction, _ scope: StepScope, _ state: inout StageState
  ) async throws {
    let tree = try await tree(copy.from, byIndex: true, scope, state)
    // `--chmod` switches `--link` off, as in BuildKit (X6).
    let isLinked = copy.isLinked && copy.mode == nil
    let action = CopyAction(
      root: isLinked ? .scratch : state.root, parent: state.root,
      sources: try sources(copy.sources, in: tree, scope, state),
      destination: try expand(copy.destination, scope, state),
      workingDirectory: state.workingDirectory,
      owner: try copy.owner.map { word throws(Diagnostic) in try expand(word, scope, state) },
      mode: try copy.mode.map { word throws(Diagnostic) in try expand(word, scope, state) },
      keepsParents: copy.keepsParents, excludes: copy.excludes, isLinked: isLinked,
      unpacksArchives: false)
    let from = copy.from.map { "--from=\($0) " } ?? ""
    finish(action, keyword: "COPY", shownAs: from, scope, &state)
  }

  /// Takes an `ADD` of local files into a stage.
  mutating func take(
    _ add: AddInstruction, _ scope: StepScope, _ state: inout StageState
  ) async throws {
    let isLinked = add.isLinked && add.mode == nil
    let sources = try sources(add.sources, in: .context(""), scope, state)
    for case .path(_, let path) in sources where RemoteSource.isRemote(path) {
      throw Diagnostic(
        "ADD of '\(path)' is not executed yet: remote sources are not implemented",
        at: scope.location, help: "download it first, or in a RUN, and copy the file")
    }
    guard add.checksum == nil else {
      throw Diagnostic(
        "'--checksum' needs an HTTP(S) or git source", at: scope.location)
    }
    let action = CopyAction(
      root: isLinked ? .scratch : state.root, parent: state.root, sources: sources,
      destination: try expand(add.destination, scope, state),
      workingDirectory: state.workingDirectory,
      owner: try add.owner.map { word throws(Diagnostic) in try expand(word, scope, state) },
      mode: try add.mode.map { word throws(Diagnostic) in try expand(word, scope, state) },
      keepsParents: false, excludes: add.excludes, isLinked: isLinked,
      unpacksArchives: add.unpacks ?? true)
    finish(action, keyword: "ADD", shownAs: "", scope, &state)
  }

  private func sources(
    _ sources: [CopySource], in tree: TreeReference, _ scope: StepScope, _ state: StageState
  ) throws -> [CopyAction.Source] {
    try sources.map { source in
      switch source {
      case .path(let word): return .path(tree, try expand(word, scope, state))
      case .heredoc(let heredoc):
        let body = heredoc.effectiveBody
        guard heredoc.expands else { return .inline(name: heredoc.name, content: body) }
        let expansion = WordExpansion { state.environment[$0] }
        let content = try Self.located(scope.location) { () throws(Diagnostic) in
          try expansion.expandHeredoc(body)
        }
        return .inline(name: heredoc.name, content: content)
      }
    }
  }

  private mutating func finish(
    _ action: CopyAction, keyword: String, shownAs from: String, _ scope: StepScope,
    _ state: inout StageState
  ) {
    let operands =
      action.sources.map { source in
        switch source {
        case .path(_, let path): path
        case .inline(let name, _): "<<\(name)"
        }
      } + [action.destination]
    var flags = ""
    if action.keepsParents { flags += "--parents " }
    if let owner = action.owner { flags += "--chown=\(owner) " }
    if let mode = action.mode { flags += "--chmod=\(mode) " }
    let text = "\(flags)\(operands.joined(separator: " "))"
    let id = add(
      .copy(action), title: GoText.oneLine("\(keyword) \(from)\(text)"), at: scope.location,
      to: &state)
    state.root = .operation(id)
    state.note("\(keyword) \(text) # buildkit", layer: id)
  }
}

/// Sources of `ADD` that are fetched.
enum RemoteSource {
  /// Whether a source is a URL or a git reference (C13, C14).
  static func isRemote(_ source: String) -> Bool {
    ["http://", "https://", "git://", "ssh://", "git@"].contains { source.hasPrefix($0) }
  }
}
