import PipelineDSL
import SystemPackage

/// Looks up what every source of a build stands for now.
struct LockUpdate {
  let request: BuildRequest
  let store: Store

  /// The lock file as it should be.
  ///
  /// What other builds in the same directory have pinned there stays; the platforms that an image
  /// was pinned for are pinned again.
  func run() async throws -> LockFile {
    let old = request.lock.content ?? LockFile()
    var new = old
    var lock = request.lock
    lock.content = nil
    lock.isStrict = false
    let resolver = LockedResolver(contexts: request.contexts, lock: lock)
    var sources: [RemoteSource] = []
    for platform in request.platforms {
      var options = request.options
      options.platform = platform
      let plan = try await Planner.plan(request.graph, options: options, resolver: resolver)
      for operation in plan.operations {
        if case .fetch(let source) = operation.action, !sources.contains(source) {
          sources.append(source)
        }
      }
    }
    for (name, platforms) in resolver.images {
      for platform in (old.images[name] ?? [:]).keys where platforms[platform] == nil {
        _ = try await resolver.resolve(
          name, platform: Platform(parsing: platform), at: nil)
      }
    }
    for (name, platforms) in resolver.images { new.images[name] = platforms }
    for source in sources { try await update(&new, source) }
    return new
  }

  private func update(_ lock: inout LockFile, _ source: RemoteSource) async throws {
    let key = LockFile.key(of: source)
    switch source {
    case .file(let url, nil):
      let workspace = try store.makeWorkspace(below: .empty)
      defer { store.remove(workspace) }
      let answer = try await request.inputs.downloads.get(
        url, unless: Validators([]), into: workspace.scratch.appending("download"))
      if let answer { lock.downloads[key] = answer.digest }
    case .git(let git) where !git.namesCommit:
      lock.commits[key] = try await blocking { try GitCheckout(source: git).commit() }
    case .file, .git: return
    }
  }
}
