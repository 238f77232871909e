import Glibc
import PipelineDSL

@testable import PipelineRunner

/// A server of this machine that runs as long as the object, and says when it is ready.
final class ServerProcess: Sendable {
  /// The rest of the line with which it said so, such as the port it got.
  let announced: String
  private let process: pid_t

  /// Starts a program and waits for a text in what it prints.
  init(_ words: [String], announcing text: String) throws {
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, words[0], &actions, nil, &arguments, environ)
    close(ends[1])
    guard failure == 0 else {
      throw Diagnostic("\(words[0]) cannot be started", help: "run Scripts/install-packages test")
    }
    self.process = process
    announced = try Self.line(after: text, in: ends[0], of: words[0])
    // What it logs later must find a reader, or it would stop.
    Self.drain(ends[0])
  }

  deinit {
    kill(process, SIGTERM)
    // Some have children and mounts to end first; none takes long.
    for _ in 0..<500 where waitpid(process, nil, WNOHANG) == 0 { usleep(20_000) }
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
  }

  private static func line(
    after text: String, in pipe: CInt, of program: String
  ) throws -> String {
    var log: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(pipe, &piece, piece.count)
      guard count > 0 else {
        close(pipe)
        throw Diagnostic("\(program) did not start: \(String(decoding: log, as: UTF8.self))")
      }
      log += piece[..<count]
      let printed = String(decoding: log, as: UTF8.self)
      guard let found = printed.firstRange(of: text) else { continue }
      let rest = printed[found.upperBound...]
      if let end = rest.firstIndex(of: "\n") { return String(rest[..<end]) }
    }
  }

  /// Reads a pipe to its end, which the other side's exit makes, and closes it.
  private static func drain(_ pipe: CInt) {
    Task.detached {
      _ = try? await blocking {
        var piece = [UInt8](repeating: 0, count: 4096)
        while read(pipe, &piece, piece.count) > 0 {}
        close(pipe)
      }
    }
  }
}
