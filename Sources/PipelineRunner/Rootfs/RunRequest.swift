import SystemPackage

/// Everything the sandbox needs to run one command: nothing in it is Dockerfile text any more.
struct RunRequest: Sendable {
  var root: RootTree
  var arguments: [[UInt8]]
  /// The variables as `NAME=value`, in order.
  ///
  /// HOME is added from the root's passwd where it is absent (R3).
  var environment: [[UInt8]]
  /// The absolute path the command starts in.
  ///
  /// Made with mode 0755, owned by the run user, where it is missing (R1).
  var workingDirectory: [UInt8]
  /// The text of `USER`, empty for root; names are looked up inside the root (R4).
  var user: String
  var mounts: [SandboxMount]
  var network: Network
  var allowsEverything = false
  var hostname = "buildkitsandbox"
  var limits = ResourceLimits()

  enum Network: Hashable, Sendable {
    /// The machine's own network, as there is no daemon that keeps a bridge.
    case host
    /// A new namespace with `lo` up and nothing else.
    case none
  }
}

/// A mount inside the sandbox.
///
/// `target` is absolute within the root; it is resolved there.
enum SandboxMount: Sendable {
  /// Read-only, or with writes that are thrown away (R6).
  case tree(RootTree, source: [UInt8], target: [UInt8], isReadOnly: Bool)
  /// A directory of the machine, for the build context: only paths that `filter` keeps appear.
  case context(ContextTree, source: [UInt8], target: [UInt8], isReadOnly: Bool)
  /// A directory kept between builds. The caller holds the lock that `sharing` asks for.
  case cache(directory: FilePath, source: [UInt8], target: [UInt8], isReadOnly: Bool)
  case tmpfs(target: [UInt8], size: Int64?)
  /// A file on a tmpfs, never in the upper directory: secrets and here-document scripts.
  case file(content: [UInt8], target: [UInt8], mode: UInt16, uid: UInt32, gid: UInt32)
  /// A socket of the machine, for ssh.
  case socket(FilePath, target: [UInt8], mode: UInt16, uid: UInt32, gid: UInt32)
}

/// How a command ended.
enum ExitStatus: Hashable, Sendable {
  case exited(Int32)
  case signaled(Int32)
}
