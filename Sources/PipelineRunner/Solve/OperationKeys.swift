import PipelineDSL

/// Makes the keys of operations whose inputs are done.
///
/// There are two for each. The quick one names a tree it reads by the layers of that tree, the
/// exact one by the content of just the paths it reads: a step is also served when another build of
/// a stage left the same bytes there (cache.md K1). They are equal where no tree is read in part.
struct OperationKeys {
  let solver: Solver

  func quick(_ operation: Operation) async throws -> CacheKey {
    try await key(operation, isExact: false)
  }

  func exact(_ operation: Operation, quick: CacheKey) async throws -> CacheKey {
    guard operation.readsPartOfATree else { return quick }
    return try await key(operation, isExact: true)
  }

  private func key(_ operation: Operation, isExact: Bool) async throws -> CacheKey {
    switch operation.action {
    case .run(let run): try await key(run, isExact)
    case .copy(let copy): try await key(copy, isExact, operation)
    case .makeDirectory(let directory): key(directory)
    case .image, .fetch, .verify: preconditionFailure("these operations make no layer")
    }
  }

  private func root(_ tree: TreeReference) -> String {
    "\(OperationResult.chainDigest(solver.names(of: tree)))"
  }

  // MARK: - RUN

  private func key(_ run: RunAction, _ isExact: Bool) async throws -> CacheKey {
    var key = CacheKey("run")
    key.add("platform", "\(run.platform)")
    key.add("base", root(run.root))
    key.add("command", run.arguments)
    for variable in run.environment {
      let (name, value) = variable.splitAtEqualsSign
      key.add("env \(name)", value)
    }
    key.add("cwd", run.workingDirectory)
    key.add("user", run.user)
    key.add("network", run.network == .none ? "none" : "default")
    key.add("security", run.isInsecure ? "insecure" : "sandbox")
    // A command that changes to another user does not come to the same there.
    if IdentityMap.ofBuilds == .one { key.add("ids", "one") }
    for mount in run.mounts { try await add(mount, to: &key, isExact) }
    return key
  }

  private func add(_ mount: MountAction, to key: inout CacheKey, _ isExact: Bool) async throws {
    switch mount {
    case .tree(let tree, let source, let target, let isReadOnly):
      let content = try await content(of: tree, path: source, isExact)
      key.add("mount \(target)", ["bind", source, isReadOnly ? "ro" : "rw", content])
    case .cache(let cache):
      // What a cache holds is no input: a command must give the same result without it.
      key.add(
        "mount \(cache.target)",
        [
          "cache", cache.id, cache.source, cache.isReadOnly ? "ro" : "rw", "\(cache.mode)",
          "\(cache.uid)", "\(cache.gid)",
        ])
    case .tmpfs(let target, let size):
      key.add("mount \(target)", ["tmpfs", size.map { "\($0)" } ?? ""])
    case .secret(let secret):
      // The id only: a hash of the value could be guessed at (K7).
      key.add(
        "secret \(secret.id)",
        [
          secret.target ?? "", secret.variable ?? "", "\(secret.mode)", "\(secret.uid)",
          "\(secret.gid)",
        ])
    case .ssh(let ssh, let target):
      key.add("ssh \(ssh.id)", [target, "\(ssh.mode)", "\(ssh.uid)", "\(ssh.gid)"])
    case .script(let content, let target): key.add("script \(target)", content)
    }
  }

  private func content(
    of tree: TreeReference, path: String, _ isExact: Bool
  ) async throws -> String {
    guard case .operation = tree, !isExact else {
      guard let source = try await solver.source(tree, path: path) else { return "empty" }
      let digest = ContentDigest(empty: solver.store.empty)
      return try await blocking { "\(try digest.digest(of: source))" }
    }
    return root(tree)
  }

  // MARK: - COPY

  private func key(
    _ copy: CopyAction, _ isExact: Bool, _ operation: Operation
  ) async throws -> CacheKey {
    var key = CacheKey("copy")
    key.add("base", root(copy.root))
    key.add("destination", copy.destination)
    key.add("cwd", copy.workingDirectory)
    key.add("owner", copy.owner ?? "")
    key.add("mode", copy.mode ?? "")
    key.add("excludes", copy.excludes)
    key.add(
      "flags",
      [
        copy.keepsParents ? "parents" : "", copy.isLinked ? "link" : "",
        "\(copy.unpacks)",
      ])
    let label = copy.contentLabel
    guard isExact || !operation.readsPartOfATree else {
      let roots = copy.sources.map { source in
        switch source {
        case .path(let tree, let path): GoText.json([root(tree), path])
        case .download(let tree, let name): GoText.json([root(tree), name])
        case .inline(let name, let content): GoText.json([name, content])
        }
      }
      key.add(label, roots)
      return key
    }
    let request = try await solver.request(copy, at: operation.location, isForKey: true)
    let digest = ContentDigest(empty: solver.store.empty)
    let memo = solver.memo
    key.add(label, "\(try await blocking { try digest.digest(of: request, memo: memo) })")
    return key
  }

  // MARK: - WORKDIR

  private func key(_ directory: DirectoryAction) -> CacheKey {
    var key = CacheKey("directory")
    key.add("base", root(directory.root))
    key.add("path", directory.path)
    key.add("user", directory.user)
    return key
  }
}

extension CopyAction {
  /// What the part of a key is called that covers what is copied.
  var contentLabel: String {
    let names = sources.map { source in
      switch source {
      case .path(_, let path): path
      case .download(_, let name): name
      case .inline(let name, _): "<<\(name)"
      }
    }
    return "content of \(names.joined(separator: " "))"
  }
}

extension Operation {
  /// Whether the operation reads some paths of a stage or image, beside the root it works in.
  var readsPartOfATree: Bool {
    switch action {
    case .run(let run):
      run.mounts.contains { if case .tree(.operation, _, _, _) = $0 { true } else { false } }
    case .copy(let copy):
      copy.sources.contains { if case .path(.operation, _) = $0 { true } else { false } }
    case .image, .fetch, .makeDirectory, .verify: false
    }
  }
}
