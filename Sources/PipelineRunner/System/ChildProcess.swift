import Glibc

/// A short-lived program of this machine, such as git, run to its end.
enum ChildProcess {
  struct Output {
    /// The exit status, or 128 and the signal.
    var status: CInt
    var text: String
  }

  /// Runs a program found in PATH, with its standard output collected.
  ///
  /// The input is at most what a pipe holds unread.
  static func run(_ arguments: [String], input: [UInt8] = []) throws(SystemError) -> Output {
    let source = try inputPipe(input)
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let reading = OwnedDescriptor(owning: ends[0])
    let writing = OwnedDescriptor(owning: ends[1])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, source.raw, 0)
    posix_spawn_file_actions_adddup2(&actions, writing.raw, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, arguments[0], &actions, nil, &pointers, environ)
    guard failure == 0 else {
      throw SystemError("posix_spawnp", path: Array(arguments[0].utf8), code: failure)
    }
    try writing.close()
    var collected: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(reading.raw, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      collected += buffer[..<count]
    }
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    return Output(status: code, text: String(decoding: collected, as: UTF8.self))
  }

  /// The reading end of a pipe that holds the input: a program that ignores it cannot hold us up.
  private static func inputPipe(_ input: [UInt8]) throws(SystemError) -> OwnedDescriptor {
    guard input.count <= 32 << 10 else { throw SystemError("write", code: EFBIG) }
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let reading = OwnedDescriptor(owning: ends[0])
    let writing = OwnedDescriptor(owning: ends[1])
    guard input.isEmpty || write(writing.raw, input, input.count) == input.count else {
      throw SystemError("write")
    }
    try writing.close()
    return reading
  }
}
