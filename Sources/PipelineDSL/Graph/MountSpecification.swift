/// What a `--mount` flag means, after its values are expanded (R5–R8).
public enum MountSpecification: Hashable, Sendable {
  case bind(from: String?, source: String, target: String, isReadOnly: Bool)
  case cache(Cache)
  case tmpfs(target: String, size: Int64?)
  case secret(Secret)
  case ssh(SSH)

  public enum Sharing: String, Hashable, Sendable {
    case shared
    case `private`
    case locked
  }

  public struct Cache: Hashable, Sendable {
    /// As written; an absent id becomes the cleaned target when the mount is resolved.
    public var id: String?
    public var target: String
    public var from: String?
    public var source: String
    public var isReadOnly: Bool
    public var sharing: Sharing
    public var mode: UInt16
    public var uid: UInt32
    public var gid: UInt32

    /// Creates a cache mount from its parts.
    public init(
      id: String?, target: String, from: String?, source: String, isReadOnly: Bool,
      sharing: Sharing, mode: UInt16, uid: UInt32, gid: UInt32
    ) {
      self.id = id
      self.target = target
      self.from = from
      self.source = source
      self.isReadOnly = isReadOnly
      self.sharing = sharing
      self.mode = mode
      self.uid = uid
      self.gid = gid
    }
  }

  public struct Secret: Hashable, Sendable {
    public var id: String
    /// Nil where only `env` was asked for.
    public var target: String?
    public var variable: String?
    public var isRequired: Bool
    public var mode: UInt16
    public var uid: UInt32
    public var gid: UInt32

    /// Creates a secret mount from its parts.
    public init(
      id: String, target: String?, variable: String?, isRequired: Bool, mode: UInt16, uid: UInt32,
      gid: UInt32
    ) {
      self.id = id
      self.target = target
      self.variable = variable
      self.isRequired = isRequired
      self.mode = mode
      self.uid = uid
      self.gid = gid
    }
  }

  public struct SSH: Hashable, Sendable {
    public var id: String
    /// Nil means `/run/buildkit/ssh_agent.N`, N counting the step's ssh mounts.
    public var target: String?
    public var isRequired: Bool
    public var mode: UInt16
    public var uid: UInt32
    public var gid: UInt32

    /// Creates an ssh mount from its parts.
    public init(
      id: String, target: String?, isRequired: Bool, mode: UInt16, uid: UInt32, gid: UInt32
    ) {
      self.id = id
      self.target = target
      self.isRequired = isRequired
      self.mode = mode
      self.uid = uid
      self.gid = gid
    }
  }
}
