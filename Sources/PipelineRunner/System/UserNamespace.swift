import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// A namespace in which an ordinary user is root, for the whole program.
struct UserNamespace: Sendable {
  /// What newuidmap and newgidmap are asked for; nil where only the user's own ids can be mapped.
  private let maps: (users: [String], groups: [String])?

  /// Looks up which ids this user may map.
  init() {
    let uid = getuid()
    guard SubordinateIDs.obstacle(for: uid) == nil else {
      maps = nil
      return
    }
    maps = (
      SubordinateIDs(in: SubordinateIDs.files.users, of: uid).map(own: uid),
      SubordinateIDs(in: SubordinateIDs.files.groups, of: uid).map(own: getgid())
    )
  }

  /// Runs this program again, as root of the namespace; returns its exit status.
  func runAgain() async throws -> CInt {
    let handle = ProcessHandle()
    return try await withTaskCancellationHandler {
      try await blocking { try run(handle) }
    } onCancel: {
      handle.terminate()
    }
  }

  private func run(_ handle: ProcessHandle) throws -> CInt {
    var ends: [CInt] = [0, 0]
    guard clinux_pipe(&ends) == 0 else { throw SystemError("pipe") }
    let waiting = OwnedDescriptor(owning: ends[0])
    let ready = OwnedDescriptor(owning: ends[1])
    let arguments = Swift.CommandLine.arguments.map { strdup($0) }
    defer { for argument in arguments { free(argument) } }
    let pointers = arguments.map { UnsafePointer($0) } + [nil]
    var number = pid_t()
    let process = environ.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) {
      clinux_spawn_in_user_namespace(
        "/proc/self/exe", pointers, $0, waiting.raw, maps == nil ? 1 : 0, &number)
    }
    guard process >= 0 else { throw Self.refused(errno) }
    let child = OwnedDescriptor(owning: process)
    handle.set(number)
    do {
      if let maps {
        try Self.map(SubordinateIDs.programs.users, number, maps.users)
        try Self.map(SubordinateIDs.programs.groups, number, maps.groups)
      } else {
        try Self.mapOwn(number)
      }
    } catch {
      // Without the byte it ends by itself.
      try? ready.close()
      _ = clinux_wait(child.raw)
      throw error
    }
    guard write(ready.raw, "1", 1) == 1 else { throw SystemError("write") }
    return clinux_wait(child.raw)
  }

  /// Makes root of the namespace the user, and nobody else anything: that takes no permission once
  /// supplementary groups can no longer be dropped (user_namespaces(7)).
  private static func mapOwn(_ process: pid_t) throws {
    for (file, text) in [
      ("setgroups", "deny"), ("uid_map", "0 \(getuid()) 1"), ("gid_map", "0 \(getgid()) 1"),
    ] {
      let path = "/proc/\(process)/\(file)"
      let raw = open(path, O_WRONLY | O_CLOEXEC)
      guard raw >= 0 else { throw refused(errno) }
      let target = OwnedDescriptor(owning: raw)
      guard write(target.raw, text, strlen(text)) == strlen(text) else { throw refused(errno) }
    }
  }

  private static func map(_ program: String, _ process: pid_t, _ map: [String]) throws {
    let output: ChildProcess.Output
    do {
      output = try ChildProcess.run([program, "\(process)"] + map)
    } catch {
      throw error.diagnostic("building without root needs the program '\(program)'").helping(
        "install it: the package is called uidmap or shadow-utils")
    }
    guard output.status == 0 else {
      throw Diagnostic(
        "\(program) refused to map this user's subordinate ids: \(output.errors.trimmedLine)",
        help: "compare /etc/subuid and /etc/subgid, and that \(program) is setuid root")
    }
  }

  /// Why the kernel gives no namespace, as far as it can be found out.
  private static func refused(_ code: CInt) -> Diagnostic {
    func setting(_ path: FilePath) -> String? {
      let bytes = (try? FileContent.readIfPresent(path)) ?? nil
      return bytes.map { String(decoding: $0, as: UTF8.self).trimmedLine }
    }
    var help = "run it with sudo"
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
      help = "AppArmor forbids it: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or sudo"
    } else if setting("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
      help = "the kernel forbids it: sysctl kernel.unprivileged_userns_clone=1, or sudo"
    } else if setting("/proc/sys/user/max_user_namespaces") == "0" {
      help = "the kernel allows none: sysctl user.max_user_namespaces=15000, or sudo"
    }
    return SystemError("clone3", code: code).diagnostic(
      "building without root needs a user namespace"
    ).helping(help)
  }
}

extension Diagnostic {
  /// The diagnostic with another advice.
  fileprivate func helping(_ help: String) -> Diagnostic {
    var copy = self
    copy.help = help
    return copy
  }
}
