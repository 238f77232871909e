import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

extension Solver {
  /// Does an operation in a workspace of its own and makes what it changed a layer.
  func execute(_ operation: Operation) async throws -> LayerID {
    let root = try await rootTree(operation.parent)
    let workspace = try store.makeWorkspace(below: root)
    let store = store
    do {
      switch operation.action {
      case .run(let run): try await execute(run, over: root, in: workspace, operation)
      case .copy(let copy):
        let request = try await request(copy, at: operation.location)
        let copier = Copier(empty: store.empty)
        try await blocking { try copier.copy(request, into: workspace) }
      case .makeDirectory(let directory):
        let maker = DirectoryMaker(empty: store.empty)
        _ = try await blocking {
          try maker.make(
            Array(directory.path.utf8), user: directory.user, in: root, workspace: workspace,
            location: operation.location)
        }
      case .image, .fetch, .verify: preconditionFailure("these operations make no layer")
      }
      let layer = try await blocking {
        let content = try LayerContent(of: workspace.upper)
        try store.adopt(workspace, as: content, title: operation.title)
        return content.id
      }
      leftovers.remove(workspace)
      return layer
    } catch {
      leftovers.remove(workspace)
      throw error
    }
  }

  /// The time that a new layer's history entry gets: the epoch, or now.
  func time(_ given: Int?) -> Int {
    options.sourceDateEpoch ?? given ?? Int(Glibc.time(nil))
  }

  // MARK: - COPY

  /// A copy's request, with the trees it reads as directories.
  ///
  /// A key needs the sources alone; a base that is copied into is then not even fetched, unless
  /// names of owners have to be looked up in it (C8).
  func request(
    _ copy: CopyAction, at location: SourceLocation?, isForKey: Bool = false
  ) async throws -> CopyRequest {
    var sources: [CopyRequest.Source] = []
    for source in copy.sources {
      switch source {
      case .path(let tree, let path):
        if let source = try await self.source(tree, path: path) { sources.append(source) }
      case .download(let tree, let name):
        sources.append(try await download(tree, name: name))
      case .inline(let name, let content):
        sources.append(.inline(name: Array(name.utf8), content: Array(content.utf8)))
      }
    }
    let namesOwner =
      try !copy.isLinked && copy.owner.map { try UserDatabase.numericOwner($0) == nil } ?? false
    let needsRoot = !isForKey || namesOwner
    var request = CopyRequest(
      root: needsRoot ? try await rootTree(copy.root) : .empty, sources: sources,
      destination: Array(copy.destination.utf8),
      workingDirectory: Array(copy.workingDirectory.utf8))
    request.owner = copy.owner
    request.mode = copy.mode
    request.keepsParents = copy.keepsParents
    if !copy.excludes.isEmpty {
      request.excludes = try IgnorePatterns(excludes: copy.excludes, at: location)
    }
    request.isLinked = copy.isLinked
    request.unpacks = copy.unpacks
    request.location = location
    return request
  }

  /// A path in a tree as the copier reads it.
  func source(_ tree: TreeReference, path: String) async throws -> CopyRequest.Source? {
    switch tree {
    case .scratch: return .tree(.empty, path: Array(path.utf8))
    case .operation: return .tree(try await rootTree(tree), path: Array(path.utf8))
    case .context(let name):
      guard let context = inputs.contexts[name] else {
        throw Diagnostic(
          name.isEmpty ? "there is no build context" : "there is no build context '\(name)'",
          help: "give the directory as the last argument, or with --build-context")
      }
      return .context(context, path: Array(path.utf8))
    }
  }

  // MARK: - RUN

  private func execute(
    _ run: RunAction, over root: RootTree, in workspace: Workspace, _ operation: Operation
  ) async throws {
    var environment = run.environment + run.proxies
    var mounts: [SandboxMount] = []
    var hidden: [[UInt8]] = []
    var caches = CacheMounts(store: store, platform: run.platform, imported: imported) {
      [progress] in progress.handle($0)
    }
    for cache in run.mounts.cacheActions.sorted(by: { $0.id < $1.id }) {
      try await caches.open(cache) { workspace in
        guard let seed = cache.seed else { return false }
        return try await self.seed(workspace, from: seed, cache)
      }
    }
    defer { caches.close() }
    var hasAgent = false
    for mount in run.mounts {
      switch mount {
      case .tree(let tree, let source, let target, let isReadOnly):
        mounts.append(
          try await bind(tree, source: source, target: target, isReadOnly: isReadOnly))
      case .cache(let cache):
        mounts.append(
          .cache(
            directory: caches.directory(of: cache),
            source: cache.seed == nil ? Array(cache.source.utf8) : [],
            target: Array(cache.target.utf8), isReadOnly: cache.isReadOnly))
      case .tmpfs(let target, let size):
        mounts.append(.tmpfs(target: Array(target.utf8), size: size))
      case .secret(let secret):
        guard let source = inputs.secrets[secret.id] else {
          guard secret.isRequired else {
            // BuildKit sets the variable all the same, to nothing (R8).
            if let name = secret.variable { environment.append("\(name)=") }
            continue
          }
          throw Diagnostic(
            "secret \(secret.id): not found", at: operation.location,
            help: "give it with --secret id=\(secret.id),src=FILE or id=\(secret.id),env=NAME")
        }
        let value = try source.read(id: secret.id)
        hidden.append(value)
        if let name = secret.variable {
          environment.append("\(name)=\(String(decoding: value, as: UTF8.self))")
        }
        if let target = secret.target {
          mounts.append(
            .file(
              content: value, target: Array(target.utf8), mode: secret.mode, uid: secret.uid,
              gid: secret.gid))
        }
      case .ssh(let ssh, let target):
        // The first mount's, whether there is an agent behind it or not (R8).
        if !hasAgent { environment.append("SSH_AUTH_SOCK=\(target)") }
        hasAgent = true
        guard let socket = inputs.sshSockets[ssh.id] else {
          guard ssh.isRequired else { continue }
          throw Diagnostic(
            "unset ssh agent '\(ssh.id)'", at: operation.location,
            help: "give it with --ssh \(ssh.id)")
        }
        mounts.append(
          .socket(
            socket, target: Array(target.utf8), mode: ssh.mode, uid: ssh.uid, gid: ssh.gid))
      case .script(let content, let target):
        mounts.append(
          .file(
            content: Array(content.utf8), target: Array(target.utf8), mode: 0o755, uid: 0, gid: 0))
      }
    }
    var request = RunRequest(
      root: root, arguments: run.arguments.map { Array($0.utf8) },
      environment: environment.map { Array($0.utf8) },
      workingDirectory: Array(run.workingDirectory.utf8), user: run.user, mounts: mounts,
      network: run.network, allowsEverything: run.isInsecure)
    request.limits = options.limits
    let tail = OutputTail()
    let splitter = LineSplitter(hiding: hidden) { [progress] line in
      tail.add(line)
      progress.handle(.output(operation.id, line))
    }
    let status = try await store.sandbox.run(request, in: workspace) {
      stream, bytes in
      splitter.take(bytes, stream: stream == .standardOutput ? 0 : 1)
    }
    splitter.finish()
    guard status == .exited(0) else {
      if options.opensShellOnFailure { try await openShell(request, status, in: workspace) }
      throw failure(run, status, operation, output: tail.text)
    }
  }

  /// Lets a person look around where a command failed: its root as it left it, its mounts,
  /// variables, directory and user.
  private func openShell(
    _ request: RunRequest, _ status: ExitStatus, in workspace: Workspace
  ) async throws {
    let isFirst = hasOpenedShell.withLock { hasOpened in
      defer { hasOpened = true }
      return !hasOpened
    }
    guard isFirst else { return }
    var shell = request
    // The command's own shell, where it was run by one.
    let isShell = request.arguments.count == 3 && request.arguments[1].elementsEqual("-c".utf8)
    shell.arguments = [isShell ? request.arguments[0] : Array("/bin/sh".utf8)]
    if let term = ProcessVariables.nonEmpty("TERM") {
      shell.environment.append(Array("TERM=\(term)".utf8))
    }
    progress.suspend()
    defer { progress.resume() }
    StandardError.write(
      "the command failed (\(Self.words(status))); this is a shell in its place, 'exit' leaves it\n"
    )
    do {
      _ = try await store.sandbox.attach(shell, in: workspace)
    } catch let error as Diagnostic {
      StandardError.write("no shell can be opened here: \(error.message)\n")
    }
  }

  private static func words(_ status: ExitStatus) -> String {
    switch status {
    case .exited(let code): "exit code: \(code)"
    case .signaled(let number): "killed by signal \(number)"
    }
  }

  private func failure(
    _ run: RunAction, _ status: ExitStatus, _ operation: Operation, output: String
  ) -> Diagnostic {
    let command = GoText.oneLine(run.arguments.joined(separator: " "))
    let how = Self.words(status)
    var notes: [Diagnostic.Note] = []
    if !output.isEmpty { notes.append(.init("the last lines it printed:\n\(output)")) }
    if IdentityMap.current == .one {
      notes.append(
        .init("this build has one id: a command that needs another user's cannot work in it"))
    }
    return Diagnostic(
      "process \"\(command)\" did not complete successfully: \(how)", at: operation.location,
      notes: notes, help: FileSystemSpace(at: store.path).flatMap(advice))
  }

  /// What to do where the command may have failed for want of space; not every program says so.
  private func advice(_ space: FileSystemSpace) -> String? {
    guard space.freeBytes < 4 << 20 || space.freeFiles < 64 else { return nil }
    let what = space.freeBytes < 4 << 20 ? "space" : "inodes"
    return "no \(what) left on device: free some where '\(store.path)' is, with 'prune' perhaps,"
      + " or point --state-dir at another file system"
  }

  private func bind(
    _ tree: TreeReference, source: String, target: String, isReadOnly: Bool
  ) async throws -> SandboxMount {
    let source = Array(source.utf8)
    let target = Array(target.utf8)
    if case .context(let name) = tree {
      guard let context = inputs.contexts[name] else {
        throw Diagnostic("there is no build context to mount")
      }
      return .context(context, source: source, target: target, isReadOnly: isReadOnly)
    }
    return .tree(try await rootTree(tree), source: source, target: target, isReadOnly: isReadOnly)
  }

  /// Fills a new cache with a directory of another tree, whose mode and owner it takes (R7).
  private func seed(
    _ workspace: Workspace, from tree: TreeReference, _ cache: CacheAction
  ) async throws -> Bool {
    guard let source = try await source(tree, path: cache.source.isEmpty ? "/" : cache.source)
    else { return false }
    let request = CopyRequest(
      root: .empty, sources: [source], destination: Array("/".utf8),
      workingDirectory: Array("/".utf8))
    let empty = store.empty
    return try await blocking {
      try Copier(empty: empty).copy(request, into: workspace)
      guard let status = try SourceSelection(request, empty: empty).directoryStatus() else {
        return false
      }
      let top = workspace.upper
      try Call.check("chown", top) { lchown($0, status.st_uid, status.st_gid) }
      try Call.check("chmod", top) { chmod($0, status.st_mode & 0o7777) }
      return true
    }
  }

  // MARK: - Artifacts

  /// Looks for what a stage promised; remembered, as a root never changes.
  func check(_ verify: VerifyAction, _ operation: Operation) async throws {
    var key = CacheKey("verify")
    key.add("base", "\(OperationResult.chainDigest(layers(of: verify.root)))")
    for artifact in verify.artifacts { key.add(artifact.kind.rawValue, artifact.path) }
    if try store.record(for: key.digest) != nil { return }
    let root = try await rootTree(verify.root)
    let empty = store.empty
    for artifact in verify.artifacts {
      let problem = try await blocking {
        try ArtifactCheck(empty: empty).problem(
          path: Array(artifact.path.utf8), kind: artifact.kind, in: root)
      }
      if let problem {
        throw Diagnostic(
          "stage '\(operation.stage)' promised the \(artifact.kind.rawValue) '\(artifact.path)': \(problem)",
          at: artifact.location ?? operation.location,
          help: "correct the path, or the step that makes it")
      }
    }
    try store.setRecord(
      Record(layer: nil, created: time(nil), seconds: 0, parts: key.parts), for: key.digest)
  }
}

extension [MountAction] {
  /// The caches among the mounts.
  var cacheActions: [CacheAction] {
    compactMap { if case .cache(let cache) = $0 { cache } else { nil } }
  }
}
