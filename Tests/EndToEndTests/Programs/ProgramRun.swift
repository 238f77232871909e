import Dispatch
import Glibc

/// What came of running a program to its end.
struct ProgramRun: Sendable {
  /// The exit status; 128 and the signal for one that was killed; 124 for one that took too long.
  var status: Int32
  var output: [UInt8]
  var errors: String

  var text: String { String(decoding: output, as: UTF8.self) }

  /// Runs a program without blocking Swift's executor.
  ///
  /// The environment is `environment` and a fixed PATH, locale and time zone, so that what a test
  /// sees does not depend on who runs it.
  static func run(
    _ program: String, _ arguments: [String], in directory: String = "/",
    environment: [String: String] = [:], input: [UInt8] = [], seconds: Int = 300
  ) async throws -> ProgramRun {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            try wait(
              for: program, arguments, in: directory, environment: environment, input: input,
              seconds: seconds)
          })
      }
    }
  }

  /// The same on the calling thread.
  static func wait(
    for program: String, _ arguments: [String], in directory: String = "/",
    environment: [String: String] = [:], input: [UInt8] = [], seconds: Int = 300
  ) throws -> ProgramRun {
    // Files and not pipes: they never block the writer, and nobody has to read meanwhile.
    let files = try [input, [], []].map { try TransientFile($0) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, file) in files.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, file.descriptor, Int32(number))
    }
    let words =
      ["env", "--chdir=\(directory)", "timeout", "--kill-after=5", "\(seconds)", program]
      + arguments
    let variables = fixed.merging(environment) { _, new in new }.map { "\($0)=\($1)" }
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, "env", &actions, nil, &argv, &envp)
    errno = failure
    guard failure == 0 else { throw SystemFailure("posix_spawn", program) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    return ProgramRun(
      status: code, output: files[1].content,
      errors: String(decoding: files[2].content, as: UTF8.self))
  }

  private static let fixed = [
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "LC_ALL": "C", "TZ": "UTC",
  ]
}

/// A file without a name.
private final class TransientFile {
  private let stream: UnsafeMutablePointer<FILE>

  init(_ content: [UInt8]) throws {
    guard let stream = tmpfile() else { throw SystemFailure("tmpfile", "") }
    self.stream = stream
    fwrite(content, 1, content.count, stream)
    fflush(stream)
    rewind(stream)
  }

  deinit { fclose(stream) }

  var descriptor: Int32 { fileno(stream) }

  var content: [UInt8] {
    let size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, size, 0))
    }
  }
}
