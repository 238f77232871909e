import Foundation
import Glibc

/// What a case reaches on loopback: files and repositories over HTTP, and an agent for SSH.
///
/// `server.py` beside the cases is the server; it ends with this object or with the tests.
final class CaseServer: Sendable {
  /// What stands for the server's address in a case.
  static let mark = "@SERVER@"
  /// What stands for the agent's socket.
  static let agentMark = "@AGENT@"

  /// `http://127.0.0.1:PORT`.
  let address: String
  let agent: String
  private let process: pid_t

  /// Serves a directory; `scratch` is for the server itself.
  init(_ directory: String, scratch: String) throws {
    let script = (#filePath as NSString).deletingLastPathComponent + "/../server.py"
    let portFile = scratch + "/port"
    agent = scratch + "/agent"
    let run = try ProgramRun.wait(
      for: "sh",
      [
        "-c", "python3 \"$@\" </dev/null >\"$0\" 2>&1 & echo $!", scratch + "/server.log", script,
        directory, portFile, agent, "\(getpid())",
      ])
    guard let process = pid_t(run.text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw SystemFailure("python3", script)
    }
    self.process = process
    for _ in 0..<1000 where !FileManager.default.fileExists(atPath: portFile) { usleep(10_000) }
    address = try "http://127.0.0.1:" + String(contentsOfFile: portFile, encoding: .utf8)
  }

  deinit { kill(process, SIGTERM) }

  /// A text with the address and the socket in the place of their marks.
  func resolve(_ text: String) -> String {
    text.replacingOccurrences(of: Self.mark, with: address)
      .replacingOccurrences(of: Self.agentMark, with: agent)
  }
}
