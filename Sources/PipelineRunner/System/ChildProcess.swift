import CLinux
import Glibc

/// A short-lived program of this machine, such as git, run to its end.
enum ChildProcess {
  struct Output {
    /// The exit status, or 128 and the signal.
    var status: CInt
    var text: String
    /// What it wrote to standard error.
    var errors: String
  }

  /// Runs a program found in PATH, with its output collected and nothing to read but `input`.
  ///
  /// `environment` is added to this process's own variables. A `umask` is set by way of a shell,
  /// as it belongs to the whole process here. Once `isCancelled` says so, the program is killed
  /// with all that it started.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = [],
    umask: mode_t? = nil, isCancelled: () -> Bool = { false }
  ) throws(SystemError) -> Output {
    var words = arguments
    if let umask {
      words = ["/bin/sh", "-c", "umask 0\(String(umask, radix: 8)); exec \"$@\"", "sh"] + arguments
    }
    let files = try [input, [], []].map { content throws(SystemError) in
      try anonymousFile(content)
    }
    defer { for file in files { close(file) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (index, file) in files.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, file, CInt(index))
    }
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] =
      merged(environment).map { strdup($0) } + [nil]
    defer { for pointer in pointers + variables { free(pointer) } }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that all of it can be killed.
    posix_spawnattr_setpgroup(&attributes, 0)
    setSignals(&attributes, flags: POSIX_SPAWN_SETPGROUP)
    var process = pid_t()
    let failure = posix_spawnp(
      &process, words[0], &actions, &attributes, &pointers, &variables)
    guard failure == 0 else {
      throw SystemError("posix_spawnp", path: Array(arguments[0].utf8), code: failure)
    }
    let status = wait(for: process, isCancelled)
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    if umask != nil, code == 127 {
      throw SystemError("exec", path: Array(arguments[0].utf8), code: ENOENT)
    }
    return Output(status: code, text: try content(of: files[1]), errors: try content(of: files[2]))
  }

  /// Runs a program with this process's own streams, to its end.
  ///
  /// It shares the terminal, so Ctrl-C reaches it by itself; where only this task is cancelled, it
  /// is asked to end.
  ///
  /// - Returns: the exit status, or 128 and the signal.
  static func follow(_ arguments: [String]) throws(SystemError) -> CInt {
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    setSignals(&attributes)
    var process = pid_t()
    let failure = posix_spawnp(&process, arguments[0], nil, &attributes, &pointers, environ)
    guard failure == 0 else {
      throw SystemError("posix_spawnp", path: Array(arguments[0].utf8), code: failure)
    }
    let handle = clinux_process(process)
    defer { close(handle) }
    var poll = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
    var isAsked = false
    while handle >= 0, Glibc.poll(&poll, 1, 100) <= 0 {
      guard !isAsked, Cancellation.isCancelled else { continue }
      kill(process, SIGTERM)
      isAsked = true
    }
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  }

  /// Lets signals do what they do by default, as this process ignores some that others should die
  /// of, and sets further flags.
  private static func setSignals(_ attributes: inout posix_spawnattr_t, flags: CInt = 0) {
    let defaults = UnsafeMutablePointer<sigset_t>.allocate(capacity: 1)
    defer { defaults.deallocate() }
    sigemptyset(defaults)
    for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, defaults)
    posix_spawnattr_setflags(&attributes, Int16(CInt(POSIX_SPAWN_SETSIGDEF) | flags))
  }

  private static func wait(for process: pid_t, _ isCancelled: () -> Bool) -> CInt {
    let handle = clinux_process(process)
    defer { close(handle) }
    var poll = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
    while handle >= 0, Glibc.poll(&poll, 1, 100) <= 0 {
      if isCancelled() { kill(-process, SIGKILL) }
    }
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status
  }

  /// This process's variables, some of them replaced.
  private static func merged(_ changes: [String: String]) -> [String] {
    var result: [String] = []
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      if changes[text.splitAtEqualsSign.name] == nil { result.append(text) }
      pointer = pointer.successor()
    }
    return result + changes.map { "\($0.key)=\($0.value)" }
  }

  /// A file in memory: unlike a pipe it never blocks the writer, and nobody has to read meanwhile.
  private static func anonymousFile(_ content: [UInt8]) throws(SystemError) -> CInt {
    let file = clinux_memory_file("child")
    guard file >= 0 else { throw SystemError("memfd_create") }
    let written = content.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    guard written == content.count else { throw SystemError("write") }
    return file
  }

  private static func content(of file: CInt) throws(SystemError) -> String {
    let size = lseek(file, 0, SEEK_END)
    guard size >= 0 else { throw SystemError("lseek") }
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
      count = max(0, pread(file, buffer.baseAddress, buffer.count, 0))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
