import PipelineDSL

extension Planner {
  /// Takes a `COPY` into a stage (section 4 of the reference).
  mutating func take(
    _ copy: CopyInstruction, _ scope: StepScope, _ state: inout StageState
  ) async throws {
    let tree = try await tree(copy.from, byIndex: true, scope, state)
    let owner = try flag(copy.owner, scope, state)
    let mode = try flag(copy.mode, scope, state)
    // `--chmod` switches `--link` off, as in BuildKit (X6).
    let isLinked = copy.isLinked && mode == nil
    let operands = try operands(copy.sources, scope, state)
    for case .path(let path) in operands where RemoteSource.isRemote(path) {
      throw Diagnostic(
        "source can't be a URL for COPY: '\(path)'", at: scope.location, help: "use ADD")
    }
    let action = CopyAction(
      root: isLinked ? .scratch : state.root, parent: state.root,
      sources: operands.map { $0.source(in: tree) },
      destination: try expand(copy.destination, scope, state),
      workingDirectory: state.workingDirectory,
      owner: owner, mode: mode,
      keepsParents: copy.keepsParents, excludes: copy.excludes, isLinked: isLinked,
      unpacks: .never)
    let from = copy.from.map { "--from=\($0) " } ?? ""
    finish(action, operands, keyword: "COPY", shownAs: from, scope, &state)
  }

  /// Takes an `ADD` into a stage; what it names by URL is fetched by an operation of its own.
  mutating func take(
    _ add: AddInstruction, _ scope: StepScope, _ state: inout StageState
  ) async throws {
    let owner = try flag(add.owner, scope, state)
    let mode = try flag(add.mode, scope, state)
    let isLinked = add.isLinked && mode == nil
    let operands = try operands(add.sources, scope, state)
    let checksum = try flag(add.checksum, scope, state)
    var sources: [CopyAction.Source] = []
    for operand in operands {
      sources.append(
        try remote(operand, add, checksum: checksum, scope, state)
          ?? operand.source(in: .context("")))
    }
    let action = CopyAction(
      root: isLinked ? .scratch : state.root, parent: state.root, sources: sources,
      destination: try expand(add.destination, scope, state),
      workingDirectory: state.workingDirectory,
      owner: owner, mode: mode,
      keepsParents: false, excludes: add.excludes, isLinked: isLinked,
      unpacks: Self.unpacking(add))
    finish(action, operands, keyword: "ADD", shownAs: "", scope, &state)
  }

  /// The value of a flag; one of which nothing is left is as good as absent.
  private func flag(
    _ word: Word?, _ scope: StepScope, _ state: StageState
  ) throws(Diagnostic) -> String? {
    guard let word else { return nil }
    let value = try expand(word, scope, state)
    return value.isEmpty ? nil : value
  }

  private static func unpacking(_ add: AddInstruction) -> CopyRequest.Unpacking {
    switch add.unpacks {
    case nil: .archives
    case true?: .archivesAndDownloads
    case false?: .never
    }
  }

  /// The source that a fetched operand becomes; nil for one of the build context.
  private mutating func remote(
    _ operand: CopyOperand, _ add: AddInstruction, checksum: String?, _ scope: StepScope,
    _ state: StageState
  ) throws -> CopyAction.Source? {
    let remote = try Self.located(scope.location) { () throws(Diagnostic) -> RemoteSource? in
      guard case .path(let text) = operand else { return nil }
      return try RemoteSource(text, checksum: checksum, keepsGitDirectory: add.keepsGitDirectory)
    }
    guard let remote else {
      guard checksum == nil else {
        throw Diagnostic(
          "'--checksum' needs an HTTP(S) or git source", at: scope.location,
          help: "files of the build context are compared by their content anyway")
      }
      return nil
    }
    if checksum != nil, add.sources.count > 1 {
      throw Diagnostic(
        "'--checksum' needs exactly one source", at: scope.location,
        help: "write an ADD for each source")
    }
    let id = insert(
      .fetch(remote), stage: state.name, title: remote.title, at: scope.location)
    switch remote {
    case .file(let url, _):
      return .download(.operation(id), name: RemoteSource.fileName(of: url))
    case .git: return .path(.operation(id), "/")
    }
  }

  private func operands(
    _ sources: [CopySource], _ scope: StepScope, _ state: StageState
  ) throws -> [CopyOperand] {
    try sources.map { source in
      switch source {
      case .path(let word): return .path(try expand(word, scope, state))
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
    _ action: CopyAction, _ operands: [CopyOperand], keyword: String, shownAs from: String,
    _ scope: StepScope, _ state: inout StageState
  ) {
    // Files come before here-documents, whatever order they are written in.
    let words =
      operands.filter { !$0.isInline }.map(\.text) + operands.filter(\.isInline).map(\.text)
      + [action.destination]
    var flags = ""
    if action.keepsParents { flags += "--parents " }
    if let owner = action.owner { flags += "--chown=\(owner) " }
    if let mode = action.mode { flags += "--chmod=\(mode) " }
    let text = "\(flags)\(words.joined(separator: " "))"
    let id = add(
      .copy(action), title: GoText.oneLine("\(keyword) \(from)\(text)"), at: scope.location,
      to: &state)
    state.root = .operation(id)
    state.note("\(keyword) \(text) # buildkit", layer: id)
  }
}

/// A source of `COPY` or `ADD` with its variables replaced.
private enum CopyOperand {
  case path(String)
  case inline(name: String, content: String)

  /// As history shows it; credentials of a URL are left out (threat 22).
  var text: String {
    switch self {
    case .path(let path): RemoteSource.withoutPassword(path)
    case .inline(let name, _): "<<\(name)"
    }
  }

  var isInline: Bool { if case .inline = self { true } else { false } }

  func source(in tree: TreeReference) -> CopyAction.Source {
    switch self {
    case .path(let path): .path(tree, path)
    case .inline(let name, let content): .inline(name: name, content: content)
    }
  }
}
