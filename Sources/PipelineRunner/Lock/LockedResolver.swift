import PipelineDSL
import Synchronization

/// Finds base images as the lock file pins them.
final class LockedResolver: BaseResolver {
  private struct State {
    var warnings: [Diagnostic] = []
    /// What was resolved, for `update`.
    var images: [String: [String: Digest]] = [:]
  }

  private let contexts: ContextCatalog
  private let lock: SourceLock
  private let state = Mutex(State())

  init(contexts: ContextCatalog, lock: SourceLock) {
    self.contexts = contexts
    self.lock = lock
  }

  /// What was resolved so far: digests by reference and platform.
  var images: [String: [String: Digest]] { state.withLock(\.images) }

  func context(named name: String) async throws -> String? {
    try await contexts.context(named: name)
  }

  func resolve(
    _ reference: String, platform: Platform, at location: SourceLocation?
  ) async throws -> ResolvedImage {
    // A directory of files has no digest but that of the moment, and a digest needs no other.
    guard contexts.hasFixedDigest(reference), (try? RegistryReference(reference))?.digest == nil
    else { return try await contexts.resolve(reference, platform: platform, at: location) }
    let key = LockFile.key(ofImage: reference)
    guard let pinned = lock.content?.images[key]?["\(platform)"] else {
      if let warning = try lock.unpinned(key, at: location) {
        state.withLock { state in
          if !state.warnings.contains(warning) { state.warnings.append(warning) }
        }
      }
      let image = try await contexts.resolve(reference, platform: platform, at: location)
      state.withLock { $0.images[key, default: [:]]["\(platform)"] = image.digest }
      return image
    }
    let image = try await contexts.resolve(
      reference, platform: platform, at: location, pinned: pinned)
    guard image.digest == pinned else {
      throw Diagnostic(
        "'\(reference)' is not the image that '\(lock.path)' pins", at: location,
        notes: [.init("pinned is \(pinned), given is \(image.digest)")],
        help: "take the new one with 'update', or give the old one")
    }
    return image
  }

  /// Pins what a plan fetches, and adds what was found not to be pinned to its warnings.
  func pin(_ plan: inout Plan) throws {
    for index in plan.operations.indices {
      guard case .fetch(let source) = plan.operations[index].action else { continue }
      let key = LockFile.key(of: source)
      switch source {
      case .file(let url, nil):
        if let digest = lock.content?.downloads[key] {
          plan.operations[index].action = .fetch(.file(url: url, checksum: "\(digest)"))
          continue
        }
      case .git(var git) where !git.namesCommit:
        if let commit = lock.content?.commits[key] {
          git.reference = commit
          plan.operations[index].action = .fetch(.git(git))
          continue
        }
      case .file, .git: continue
      }
      if let warning = try lock.unpinned(key, at: plan.operations[index].location) {
        plan.warnings.append(warning)
      }
    }
    plan.warnings += state.withLock(\.warnings)
  }
}

extension GitSource {
  /// Whether the source is one commit already.
  var namesCommit: Bool {
    guard let reference else { return false }
    return (reference.utf8.count == 40 || reference.utf8.count == 64)
      && reference.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }
}

extension BuildRequest {
  /// Plans the build of the options' platform, with sources as the lock file pins them.
  func plan(_ options: BuildOptions) async throws -> Plan {
    let resolver = LockedResolver(contexts: contexts, lock: lock)
    var plan = try await Planner.plan(graph, options: options, resolver: resolver)
    try resolver.pin(&plan)
    return plan
  }
}
