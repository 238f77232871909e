/// A directory that is kept between builds and is in no layer.
///
/// Interpolated into shell text it stands for its path and is mounted there.
///
/// ```swift
/// let pip = Cache("pip", at: "/root/.cache/pip")
/// Run("pip install --cache-dir \(pip) flask")
/// Run("pip install flask").mounting(pip)
/// ```
public struct Cache: Sendable {
  /// What builds may do with the cache at the same time.
  public enum Sharing: String, Hashable, Sendable {
    /// Several steps write at once.
    case shared
    /// Each step at work has a directory of its own.
    case `private`
    /// Steps wait for each other.
    case locked
  }

  public enum Access: Hashable, Sendable {
    case readWrite
    case readOnly
  }

  /// The name that steps share the cache by.
  public let id: String
  /// Where the cache is mounted unless a step says otherwise.
  public let path: String
  let sharing: Sharing
  let access: Access
  let seed: Artifact<Directory>?
  let ownership: MountOwnership

  /// Declares a cache.
  ///
  /// - Parameters:
  ///   - id: the name that steps and builds share it by.
  ///   - path: where it is mounted; `/run/caches/` and the id unless given.
  ///   - sharing: what steps that run at once may do.
  ///   - access: whether steps may write.
  ///   - seed: a directory whose content a new cache starts with.
  ///   - ownership: the owner and permissions of the directory.
  public init(
    _ id: String, at path: String? = nil, sharing: Sharing = .shared, access: Access = .readWrite,
    startingWith seed: Artifact<Directory>? = nil, ownership: MountOwnership = MountOwnership()
  ) {
    self.id = id
    self.path = path ?? "/run/caches/" + id
    self.sharing = sharing
    self.access = access
    self.seed = seed
    self.ownership = ownership
  }
}
