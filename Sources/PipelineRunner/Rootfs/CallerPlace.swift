import CLinux
import Glibc
import SystemPackage

/// Opens what the arguments of another process's system call name, as that process would.
///
/// Used by one thread, which gets a root and a working directory of its own for it.
struct CallerPlace {
  /// The thread whose call waits.
  struct Caller {
    let task: pid_t
    let id: UInt64
    let listener: CInt

    init(_ call: clinux_call, _ listener: CInt) {
      (task, id) = (call.task, call.id)
      self.listener = listener
    }
  }

  private let top: SharedDescriptor
  private let processes: SharedDescriptor

  /// Takes the calling thread out of the directories that threads share.
  init() throws(SystemError) {
    guard clinux_own_directories() == 0 else { throw SystemError("unshare") }
    top = SharedDescriptor(try TreeAccess.openDirectory("/"))
    processes = SharedDescriptor(try TreeAccess.openDirectory("/proc"))
  }

  /// A string of the caller's.
  func text(_ address: UInt64, of caller: Caller) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = clinux_read_text(caller.task, address, &buffer, buffer.count)
    guard length >= 0 else { throw SystemError("read") }
    return buffer[..<length].map { UInt8(bitPattern: $0) }
  }

  /// What a descriptor of the caller's names.
  func open(_ descriptor: CInt, of caller: Caller) throws(SystemError) -> OwnedDescriptor {
    let name = descriptor == AT_FDCWD ? "cwd" : "fd/\(descriptor)"
    let raw = openat(
      processes.raw, "\(caller.task)/\(name)", TreeAccess.pathOnly | O_CLOEXEC)
    guard raw >= 0 else {
      throw SystemError("open", code: errno == ENOENT ? EBADF : errno)
    }
    let found = OwnedDescriptor(owning: raw)
    try check(caller)
    return found
  }

  /// What a path of the caller's names.
  func open(
    _ path: UInt64, in directory: CInt, of caller: Caller, followsLinks: Bool
  ) throws(SystemError) -> OwnedDescriptor {
    let text = try text(path, of: caller)
    if followsLinks, let stream = Self.stream(text) { return try open(stream, of: caller) }
    let flags = TreeAccess.pathOnly | (followsLinks ? 0 : O_NOFOLLOW)
    return try resolve(text, in: directory, of: caller, flags: flags, mode: nil)
  }

  /// Makes an empty file where nothing is.
  func create(
    _ path: UInt64, in directory: CInt, of caller: Caller, mode: mode_t
  ) throws(SystemError) -> OwnedDescriptor {
    try resolve(
      text(path, of: caller), in: directory, of: caller,
      flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode & ~umask(of: caller))
  }

  private func resolve(
    _ path: [UInt8], in directory: CInt, of caller: Caller, flags: CInt, mode: mode_t?
  ) throws(SystemError) -> OwnedDescriptor {
    if path.isEmpty { throw SystemError("open", code: ENOENT) }
    let root = openat(
      processes.raw, "\(caller.task)/root", TreeAccess.pathOnly | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw SystemError("open") }
    let rootDirectory = OwnedDescriptor(owning: root)
    let start = try open(path.first == UInt8(ascii: "/") ? AT_FDCWD : directory, of: caller)
    defer {
      // Back to where /proc is this machine's.
      _ = fchdir(top.raw)
      _ = chroot(".")
    }
    guard fchdir(rootDirectory.raw) == 0, chroot(".") == 0, fchdir(start.raw) == 0 else {
      throw SystemError("chroot")
    }
    let raw = TreeAccess.withTerminated(path) { text in
      let before = mode.map { _ in Glibc.umask(0) }
      defer { if let before { _ = Glibc.umask(before) } }
      return clinux_openat2(
        AT_FDCWD, text, UInt64(UInt32(bitPattern: flags)), UInt64(mode ?? 0),
        CLINUX_RESOLVE_NO_MAGICLINKS)
    }
    guard raw >= 0 else { throw SystemError("open", path: path) }
    return OwnedDescriptor(owning: raw)
  }

  /// The number may mean another thread once the caller was killed.
  private func check(_ caller: Caller) throws(SystemError) {
    guard clinux_is_waiting(caller.listener, caller.id) != 0 else {
      throw SystemError("open", code: ESRCH)
    }
  }

  private func umask(of caller: Caller) throws(SystemError) -> mode_t {
    let bytes = try FileContent.read(FilePath("/proc/\(caller.task)/status"))
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let line = lines.first { $0.hasPrefix("Umask:") }
    return line.flatMap { mode_t($0.dropFirst(6).filter { $0.isNumber }, radix: 8) } ?? 0o022
  }

  /// The descriptor behind a name that leads through /proc to one of the caller's own: what the
  /// standard streams are called.
  private static func stream(_ path: [UInt8]) -> CInt? {
    switch String(decoding: path, as: UTF8.self) {
    case "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0": 0
    case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1": 1
    case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2": 2
    default: nil
    }
  }
}
