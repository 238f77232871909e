import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// A program that keeps logins, such as `docker-credential-pass`.
struct CredentialHelper: Sendable {
  /// Found in PATH.
  var program: String
  /// As the file that names it has it.
  var name: String
  var file: FilePath
  var patience: Duration

  private struct Answer: Codable {
    var serverURL: String
    var username: String
    var secret: String

    enum CodingKeys: String, CodingKey {
      case serverURL = "ServerURL"
      case username = "Username"
      case secret = "Secret"
    }
  }

  /// The login for a server; nil where the helper has none.
  func get(_ server: String) throws -> RegistryCredential? {
    let output = try run("get", input: server)
    guard output.status == 0 else {
      if Self.isNotFound(output) { return nil }
      throw failed("get", output)
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output.text.utf8)) else {
      throw Diagnostic(
        "the credential helper '\(program)' answered something unreadable",
        help: "what 'echo \(server) | \(program) get' prints should be a JSON object")
    }
    if answer.username == "<token>" { return .identity(token: answer.secret) }
    return .password(user: answer.username, password: answer.secret)
  }

  func store(_ server: String, user: String, password: String) throws {
    let answer = Answer(serverURL: server, username: user, secret: password)
    let input = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
    let output = try run("store", input: input)
    guard output.status == 0 else { throw failed("store", output, hiding: password) }
  }

  func erase(_ server: String) throws {
    let output = try run("erase", input: server)
    guard output.status == 0 || Self.isNotFound(output) else {
      throw failed("erase", output)
    }
  }

  /// The words by which the protocol says that there is no such login.
  private static func isNotFound(_ output: ChildProcess.Output) -> Bool {
    (output.text + output.errors).contains("credentials not found")
  }

  private func run(_ action: String, input: String) throws -> ChildProcess.Output {
    guard !name.contains("/") else {
      throw Diagnostic("'\(name)' in '\(file)' is no name of a credential helper")
    }
    let end = ContinuousClock.now + patience
    let output: ChildProcess.Output
    do {
      output = try ChildProcess.run([program, action], input: Array(input.utf8)) {
        Cancellation.isCancelled || ContinuousClock.now >= end
      }
    } catch {
      guard error.code == ENOENT else {
        throw error.diagnostic("the credential helper '\(program)' cannot be run")
      }
      throw Diagnostic(
        "the credential helper '\(program)', which '\(file)' names, is not in PATH",
        help: "install it, or take '\(name)' out of the file")
    }
    try Cancellation.check()
    if output.status == 128 + SIGKILL, ContinuousClock.now >= end {
      throw Diagnostic(
        "the credential helper '\(program)' did not \(action) within \(patience.components.seconds) seconds and was stopped",
        help: "it may wait for somebody to unlock what it keeps logins in")
    }
    return output
  }

  /// What a helper said as it failed, without what it may say of a login.
  private func failed(
    _ action: String, _ output: ChildProcess.Output, hiding secret: String? = nil
  ) -> Diagnostic {
    let lines = (output.text + "\n" + output.errors).split(separator: "\n")
    var words = lines.first.map { RegistryEndpoint.printable(String($0)) } ?? ""
    let isSecret = words.contains("Secret") || secret.map { words.contains($0) } ?? false
    if words.isEmpty || isSecret { words = "it ended with status \(output.status)" }
    return Diagnostic("the credential helper '\(program)' failed to \(action): \(words)")
  }
}
