import Glibc
import PipelineDSL
import SystemPackage

/// The cache directories that one step has mounted (cache.md section 6).
///
/// An id never becomes a path, its digest does (threat 18). The platform is part of the identity:
/// one directory shared across processors corrupts what tools keep there.
struct CacheMounts {
  private let store: Store
  private let platform: Platform
  private var directories: [String: FilePath] = [:]
  private var clones: [Workspace] = []
  private var locks: [FileLock] = []

  init(store: Store, platform: Platform) {
    self.store = store
    self.platform = platform
  }

  /// Makes a cache ready; call in the order of ids, so that two steps cannot wait for each other.
  mutating func open(
    _ cache: CacheAction, seed: (Workspace) async throws -> Void
  ) async throws {
    guard directories[cache.id] == nil else { return }
    let identity = identity(of: cache)
    let path = store.path(of: .cache(identity))
    try store.hold(.cache(identity))
    let claims = store.path.appending("cache-claims")
    let offset = Store.lockOffset(identity)
    switch cache.sharing {
    case .shared: break
    case .locked: locks.append(try await FileLock.wait(claims, at: offset))
    case .private:
      guard let lock = try FileLock.attempt(claims, at: offset) else {
        let clone = try store.makeWorkspace(below: .empty)
        clones.append(clone)
        try Self.setAttributes(clone.upper, cache)
        directories[cache.id] = clone.upper
        return
      }
      locks.append(lock)
    }
    try await make(path, cache, seed)
    directories[cache.id] = path
  }

  func directory(of cache: CacheAction) -> FilePath {
    directories[cache.id] ?? store.empty
  }

  /// Drops the locks and what was made for this step alone.
  mutating func close() {
    for clone in clones { store.remove(clone) }
    clones = []
    locks = []
  }

  private func identity(of cache: CacheAction) -> Digest {
    var key = CacheKey("cache")
    key.add("id", cache.id)
    key.add("platform", "\(platform)")
    return key.digest
  }

  /// Makes a cache that is not there: seeded or empty, by rename, so that it is whole or absent.
  private func make(
    _ path: FilePath, _ cache: CacheAction, _ seed: (Workspace) async throws -> Void
  ) async throws {
    var status = stat()
    if path.withPlatformString({ lstat($0, &status) }) == 0 { return }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    try await seed(workspace)
    try Self.setAttributes(workspace.upper, cache)
    do {
      try Call.rename(workspace.upper, to: path)
    } catch {
      // Another step made it first.
      guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
    }
  }

  private static func setAttributes(_ path: FilePath, _ cache: CacheAction) throws {
    if !FileRecord.keepsOwners {
      try Call.check("chown", path) { lchown($0, cache.uid, cache.gid) }
    }
    try Call.check("chmod", path) { chmod($0, mode_t(cache.mode)) }
  }
}
