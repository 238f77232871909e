import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// A group of processes with limits, in either version of the kernel's interface.
///
/// The command starts in it, so nothing it does comes before its limits.
final class ControlGroup {
  /// Version 2: the directory that the process is cloned into.
  private(set) var directory: SharedDescriptor?
  /// Version 1: the files that process 1 writes itself into.
  private(set) var taskFiles: [SharedDescriptor] = []

  private var paths: [FilePath] = []
  private var memoryEvents: FilePath?
  private let limits: ResourceLimits

  /// The controllers of the kernel, by the flag that needs them.
  private enum Controller: String {
    case memory
    case pids
    case cpu

    var flag: String {
      switch self {
      case .memory: "--memory"
      case .pids: "--pids-limit"
      case .cpu: "--cpus"
      }
    }
  }

  /// Makes a group.
  ///
  /// - Throws: a diagnostic where this machine's kernel cannot limit what was asked for.
  init(_ limits: ResourceLimits) throws {
    self.limits = limits
    do {
      if ControlGroups.isUnified { try makeUnified() } else { try makeDivided() }
    } catch {
      remove()
      throw error
    }
  }

  /// Whether the kernel killed a process of the group for want of memory.
  var ranOutOfMemory: Bool {
    guard let memoryEvents, let bytes = try? FileContent.read(memoryEvents) else { return false }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").contains { line in
      let fields = line.split(separator: " ")
      return fields.count == 2 && fields[0] == "oom_kill" && fields[1] != "0"
    }
  }

  /// Removes the group, whose processes have ended.
  func remove() {
    taskFiles = []
    directory = nil
    for path in paths {
      // Processes that ended a moment ago can still be counted.
      for _ in 0..<100 {
        if path.withPlatformString({ rmdir($0) }) == 0 || errno != EBUSY { break }
        usleep(1000)
      }
    }
    paths = []
  }

  private var wanted: [(Controller, [(file: String, value: String)])] {
    let period = 100_000
    var wanted: [(Controller, [(file: String, value: String)])] = []
    let isUnified = ControlGroups.isUnified
    if let memory = limits.memory {
      wanted.append(
        (
          .memory,
          isUnified
            ? [("memory.max", "\(memory)"), ("memory.swap.max", "0")]
            : [
              ("memory.limit_in_bytes", "\(memory)"), ("memory.memsw.limit_in_bytes", "\(memory)"),
            ]
        ))
    }
    if let processes = limits.processes {
      // Process 1 is ours.
      wanted.append((.pids, [("pids.max", "\(processes + 1)")]))
    }
    if let processors = limits.processors {
      let quota = max(1000, Int(processors * Double(period)))
      wanted.append(
        (
          .cpu,
          isUnified
            ? [("cpu.max", "\(quota) \(period)")]
            : [("cpu.cfs_period_us", "\(period)"), ("cpu.cfs_quota_us", "\(quota)")]
        ))
    }
    return wanted
  }

  // MARK: - Version 2

  private func makeUnified() throws {
    let root = FilePath("/sys/fs/cgroup")
    let offered = try words(root.appending("cgroup.controllers"))
    let enabled = try words(root.appending("cgroup.subtree_control"))
    for (controller, _) in wanted where !enabled.contains(controller.rawValue) {
      guard offered.contains(controller.rawValue) else { throw Self.missing(controller) }
      do {
        try Self.write("+\(controller.rawValue)", to: root.appending("cgroup.subtree_control"))
      } catch {
        throw error.diagnostic(
          "\(controller.flag): the '\(controller.rawValue)' controller cannot be turned on")
      }
    }
    let path = try make(in: root)
    for (controller, files) in wanted {
      for (file, value) in files { try set(controller, path.appending(file), value) }
    }
    if limits.memory != nil { memoryEvents = path.appending("memory.events") }
    directory = SharedDescriptor(try TreeAccess.openDirectory(path))
  }

  private func words(_ path: FilePath) throws -> Set<String> {
    let text = String(decoding: try FileContent.readIfPresent(path) ?? [], as: UTF8.self)
    return Set(text.split { $0 == " " || $0 == "\n" }.map(String.init))
  }

  // MARK: - Version 1

  private func makeDivided() throws {
    for (controller, files) in wanted {
      let root = FilePath("/sys/fs/cgroup").appending(controller.rawValue)
      guard root.appending("tasks").withPlatformString({ access($0, F_OK) }) == 0 else {
        throw Self.missing(controller)
      }
      let own = root.pushing(FilePath(try Self.ownGroup(controller)).lexicallyNormalized())
      let isThere = own.appending("tasks").withPlatformString { access($0, F_OK) } == 0
      let path = try make(in: isThere ? own : root)
      for (file, value) in files { try set(controller, path.appending(file), value) }
      if controller == .memory { memoryEvents = path.appending("memory.oom_control") }
      let tasks = path.appending("tasks")
      let raw = tasks.withPlatformString { open($0, O_WRONLY | O_CLOEXEC) }
      guard raw >= 0 else { throw SystemError("open", path: tasks.bytes) }
      taskFiles.append(SharedDescriptor(OwnedDescriptor(owning: raw)))
    }
  }

  /// The group that this process is in, relative to its hierarchy.
  private static func ownGroup(_ controller: Controller) throws -> String {
    let text = String(decoding: try FileContent.read("/proc/self/cgroup"), as: UTF8.self)
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3,
        fields[1].split(separator: ",").contains(Substring(controller.rawValue))
      else { continue }
      return String(fields[2].drop { $0 == "/" })
    }
    return ""
  }

  // MARK: - Files

  private func make(in parent: FilePath) throws -> FilePath {
    Self.sweep(parent)
    let path = parent.appending("pipeline-\(Store.uniqueName())")
    guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 else {
      var error = SystemError("mkdir", path: path.bytes).diagnostic("limits cannot be set")
      error.help = "only root may set them here; build without --memory, --cpus and --pids-limit"
      throw error
    }
    paths.append(path)
    return path
  }

  /// Removes groups of builders that were killed.
  private static func sweep(_ parent: FilePath) {
    for name in (try? DirectoryTree.names(in: parent)) ?? [] where name.hasPrefix("pipeline-") {
      guard let process = pid_t(name.dropFirst(9).prefix { $0 != "-" }),
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      _ = parent.appending(name).withPlatformString { rmdir($0) }
    }
  }

  private func set(_ controller: Controller, _ path: FilePath, _ value: String) throws {
    do {
      try Self.write(value, to: path)
    } catch {
      // Kernels without accounting of swap have no file to limit it.
      if error.code == ENOENT, path.string.contains("sw") { return }
      throw error.diagnostic("\(controller.flag) cannot be set")
    }
  }

  private static func write(_ value: String, to path: FilePath) throws(SystemError) {
    let raw = path.withPlatformString { open($0, O_WRONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    let file = OwnedDescriptor(owning: raw)
    guard Glibc.write(file.raw, value, value.utf8.count) == value.utf8.count else {
      throw SystemError("write", path: path.bytes)
    }
  }

  private static func missing(_ controller: Controller) -> Diagnostic {
    Diagnostic(
      "\(controller.flag) cannot be kept: this kernel offers no '\(controller.rawValue)' cgroup controller",
      help: "build without the limit, or on a machine whose /sys/fs/cgroup has the controller")
  }
}
