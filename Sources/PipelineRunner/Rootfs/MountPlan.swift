import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Every mount of a command, in the order in which the child attaches them.
final class MountPlan {
  struct Entry {
    var kind: clinux_mount_kind
    var mount: SharedDescriptor?
    var source: [UInt8] = []
    var target: [[UInt8]] = []
    var attributes: UInt64 = 0

    /// What a person knows the mount by.
    var label: String { RootView.text(target) }
  }

  private(set) var entries: [Entry] = []
  /// Agents that are reachable through the mounts; to be stopped when the command ends.
  private(set) var relays: [AgentRelay] = []
  /// Where terminals of the command are made.
  private(set) var terminals: SharedDescriptor?
  let view: RootView

  private let workspace: Workspace
  private let empty: FilePath
  private var files: PrivateFiles?
  private var privateTrees = 0

  private static let quiet = CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NODEV | CLINUX_MOUNT_NOEXEC

  init(
    _ request: RunRequest, view: RootView, workspace: Workspace, empty: FilePath
  ) throws {
    self.view = view
    self.workspace = workspace
    self.empty = empty
    try addKernelFiles(
      allowsEverything: request.allowsEverything, network: request.network)
    try addNames(hostname: request.hostname)
    for mount in request.mounts { try add(mount) }
  }

  /// A plan that failed half-way, or whose command never started, leaves no agent behind.
  deinit {
    for relay in relays { relay.stop() }
  }

  // MARK: - The machine's side

  private func addKernelFiles(
    allowsEverything: Bool, network: RunRequest.Network
  ) throws {
    let readOnly = allowsEverything ? 0 : CLINUX_MOUNT_READ_ONLY
    try addKernel(CLINUX_MOUNT_PROC, at: "/proc")
    let devices = try DeviceTree()
    try attach(devices.mount, at: "/dev", followsLinks: false)
    terminals = devices.terminals
    for (name, mount) in devices.borrowed {
      entries.append(
        Entry(
          kind: CLINUX_MOUNT_ATTACH, mount: mount,
          target: [Array("dev".utf8), Array(name.utf8)]))
    }
    try attach(devices.terminals, at: "/dev/pts", followsLinks: false)
    try attach(devices.sharedMemory, at: "/dev/shm", followsLinks: false)
    try addKernel(CLINUX_MOUNT_QUEUES, at: "/dev/mqueue")
    if OverlayMark.isInUserNamespace && network == .host {
      // Only who owns the network may have a new view of it, so this is the machine's.
      let sys = try TreeAccess.openDirectory("/sys")
      try attach(
        DetachedMount.clone(
          sys.raw, isRecursive: true, attributes: CLINUX_MOUNT_READ_ONLY | Self.quiet),
        at: "/sys", followsLinks: false)
    } else {
      try addKernel(CLINUX_MOUNT_SYSFS, at: "/sys", attributes: readOnly)
    }
    if ControlGroups.isUnified {
      try addKernel(CLINUX_MOUNT_GROUPS, at: "/sys/fs/cgroup", attributes: readOnly)
    }
    guard !allowsEverything else { return }
    for path in Self.masked { addRule(CLINUX_MOUNT_MASK, path) }
    for path in Self.protected {
      addRule(CLINUX_MOUNT_PROTECT, path, attributes: CLINUX_MOUNT_READ_ONLY | Self.quiet)
    }
  }

  /// Hidden from commands: they tell of the machine, or let it be changed.
  private static let masked = [
    "proc/acpi", "proc/asound", "proc/kcore", "proc/keys", "proc/latency_stats",
    "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "proc/scsi", "sys/firmware",
    "sys/devices/virtual/powercap",
  ]

  private static let protected = [
    "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
  ]

  private func addKernel(
    _ kind: clinux_mount_kind, at target: String, attributes: UInt64 = 0
  ) throws {
    let path = try view.mountPoint(Array(target.utf8), isDirectory: true, followsLinks: false)
    entries.append(Entry(kind: kind, target: path, attributes: attributes))
    view.add(RootView.Point(path: path, content: nil))
  }

  private func addRule(_ kind: clinux_mount_kind, _ path: String, attributes: UInt64 = 0) {
    entries.append(
      Entry(kind: kind, target: PathBytes.parts(Array(path.utf8)), attributes: attributes))
  }

  private func attach(
    _ mount: SharedDescriptor, at target: String, followsLinks: Bool
  ) throws {
    let path = try view.mountPoint(
      Array(target.utf8), isDirectory: true, followsLinks: followsLinks)
    entries.append(Entry(kind: CLINUX_MOUNT_ATTACH, mount: mount, target: path))
    view.add(RootView.Point(path: path, content: mount))
  }

  /// The machine's own way to look names up, and a list of this host alone.
  private func addNames(hostname: String) throws {
    let resolver = try FileContent.readIfPresent("/etc/resolv.conf") ?? []
    let hosts = "127.0.0.1\tlocalhost \(hostname)\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    try add(
      .file(
        content: resolver, target: Array("/etc/resolv.conf".utf8), mode: 0o644, uid: 0, gid: 0))
    try add(
      .file(
        content: Array(hosts.utf8), target: Array("/etc/hosts".utf8), mode: 0o644, uid: 0, gid: 0))
  }

  // MARK: - The step's own

  private func add(_ mount: SandboxMount) throws {
    switch mount {
    case .tree(let tree, let source, let target, let isReadOnly):
      try addTree(tree, source: source, target: target, isReadOnly: isReadOnly)
    case .context(let context, let source, let target, let isReadOnly):
      try addContext(context, source: source, target: target, isReadOnly: isReadOnly)
    case .cache(let directory, let source, let target, let isReadOnly):
      let root = try TreeAccess.openDirectory(directory)
      let place = try find(source, in: root.raw, of: "the cache")
      let status = try TreeAccess.status(of: place.raw)
      let attributes = isReadOnly ? CLINUX_MOUNT_READ_ONLY : 0
      try attach(
        DetachedMount.clone(place.raw, attributes: attributes), content: SharedDescriptor(place),
        at: target, isDirectory: status.isDirectory, isReadOnly: isReadOnly)
    case .tmpfs(let target, let size):
      // Over a directory that is there, the mount takes that one's mode, as runc has it.
      let place = try view.resolve(target)
      let mode =
        place.type == S_IFDIR
        ? try TreeAccess.status(of: place.directory.raw).st_mode & 0o7777 : 0o1777
      var options: [(String, String?)] = [("mode", String(mode, radix: 8))]
      if let size { options.append(("size", "\(size)")) }
      let mount = try DetachedMount.make("tmpfs", options, attributes: CLINUX_MOUNT_NOSUID)
      try attach(mount, content: mount, at: target, isDirectory: true, isReadOnly: false)
    case .file(let content, let target, let mode, let uid, let gid):
      let files = try privateFiles()
      let name = try files.add(content, mode: mode, uid: uid, gid: gid)
      try addPrivate(name, at: target, isExecutable: mode & 0o111 != 0)
    case .socket(let agent, let target, let mode, let uid, let gid):
      let (name, listener) = try privateFiles().listen(mode: mode, uid: uid, gid: gid)
      relays.append(AgentRelay(listener, agent: agent))
      try addPrivate(name, at: target, isExecutable: false)
    }
  }

  private func addTree(
    _ tree: RootTree, source: [UInt8], target: [UInt8], isReadOnly: Bool
  ) throws {
    let mount: SharedDescriptor
    if isReadOnly {
      mount = SharedDescriptor(try DetachedOverlay.readOnly(tree, empty: empty))
    } else {
      let place = try makePrivateTree()
      mount = SharedDescriptor(try DetachedOverlay.writable(tree, in: place, empty: empty))
    }
    try addPart(of: mount, source: source, target: target, isReadOnly: isReadOnly)
  }

  private func addPart(
    of mount: SharedDescriptor, source: [UInt8], target: [UInt8], isReadOnly: Bool
  ) throws {
    if PathBytes.components(source).isEmpty {
      try attach(mount, content: mount, at: target, isDirectory: true, isReadOnly: isReadOnly)
      return
    }
    let place = try find(source, in: mount.raw, of: "the source image or stage")
    let isDirectory = try TreeAccess.status(of: place.raw).isDirectory
    let path = try view.mountPoint(target, isDirectory: isDirectory)
    entries.append(Entry(kind: CLINUX_MOUNT_STAGE, mount: mount, target: path))
    entries.append(
      Entry(kind: CLINUX_MOUNT_PART, mount: mount, source: source, target: path))
    view.add(
      RootView.Point(
        path: path, content: SharedDescriptor(place), isDirectory: isDirectory,
        isReadOnly: isReadOnly))
  }

  private func addContext(
    _ context: ContextTree, source: [UInt8], target: [UInt8], isReadOnly: Bool
  ) throws {
    let found = try ContextMount(
      context, source: source, isReadOnly: isReadOnly, in: newPrivateTree(), empty: empty)
    guard isReadOnly || found.isCopy else {
      // Writes go to a directory of this step alone, and away with it (R6).
      let tree = RootTree([FilePath("/proc/self/fd/\(found.source.raw)")])
      let mount = try DetachedOverlay.writable(tree, in: makePrivateTree(), empty: empty)
      try addPart(
        of: SharedDescriptor(mount), source: [], target: target, isReadOnly: false)
      return
    }
    let mount = try DetachedMount.clone(
      found.source.raw, isRecursive: !found.isCopy,
      attributes: isReadOnly ? CLINUX_MOUNT_READ_ONLY : 0)
    try attach(
      mount, content: found.source, at: target, isDirectory: found.isDirectory,
      isReadOnly: isReadOnly)
  }

  private func attach(
    _ mount: SharedDescriptor, content: SharedDescriptor, at target: [UInt8], isDirectory: Bool,
    isReadOnly: Bool
  ) throws {
    let path = try view.mountPoint(target, isDirectory: isDirectory)
    entries.append(Entry(kind: CLINUX_MOUNT_ATTACH, mount: mount, target: path))
    view.add(
      RootView.Point(
        path: path, content: content, isDirectory: isDirectory, isReadOnly: isReadOnly))
  }

  private func privateFiles() throws -> PrivateFiles {
    if let files { return files }
    let made = try PrivateFiles()
    entries.append(Entry(kind: CLINUX_MOUNT_STAGE, mount: made.mount))
    files = made
    return made
  }

  private func addPrivate(_ name: String, at target: [UInt8], isExecutable: Bool) throws {
    let path = try view.mountPoint(target, isDirectory: false)
    var attributes = CLINUX_MOUNT_READ_ONLY | CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NODEV
    if !isExecutable { attributes |= CLINUX_MOUNT_NOEXEC }
    entries.append(
      Entry(
        kind: CLINUX_MOUNT_PART, mount: files?.mount, source: Array(name.utf8), target: path,
        attributes: attributes))
    view.add(RootView.Point(path: path, content: nil, isDirectory: false, isReadOnly: true))
  }

  private func find(
    _ source: [UInt8], in root: CInt, of what: String
  ) throws -> OwnedDescriptor {
    let path = PathBytes.components(source).isEmpty ? [UInt8(ascii: ".")] : source
    guard let found = try TreeAccess.openIfPresent(path, in: root, flags: TreeAccess.pathOnly)
    else {
      throw Diagnostic(
        "'\(String(decoding: source, as: UTF8.self))' was not found in \(what)",
        help: "the 'source' of a mount has to exist there")
    }
    return found
  }

  // MARK: - Private trees

  /// Names a workspace of a mount's own, which goes away with the step's.
  private func newPrivateTree() -> Workspace {
    privateTrees += 1
    return Workspace(path: workspace.scratch.appending("mount-\(privateTrees)"))
  }

  private func makePrivateTree() throws(SystemError) -> Workspace {
    let place = newPrivateTree()
    for directory in [place.path, place.upper, place.work] {
      try DirectoryTree.make(directory, mode: 0o755)
    }
    return place
  }
}

extension stat {
  /// Whether it is a directory.
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
}
