import Glibc
import PipelineDSL
import SystemPackage

@testable import PipelineRunner

/// Debian's docker-registry on a free loopback port, with a storage of its own.
final class DockerRegistry {
  enum Security {
    case none
    /// Logins in an htpasswd file, without TLS.
    case login
    /// Signed tokens of a server of their own.
    case token(SigningTokenServer)
    /// The certificate of a private authority for 127.0.0.1, and logins in an htpasswd file.
    case tls(TestAuthority, wantsLogin: Bool, wantsClient: Bool)
  }

  let host: String
  private let directory: TemporaryDirectory
  private let process: pid_t
  private let output: CInt

  /// The login that registries with logins know.
  static let user = "jo"
  static let password = "secret"

  init(_ security: Security = .none) throws {
    directory = try TemporaryDirectory()
    var http = "  addr: 127.0.0.1:0\n"
    var more = ""
    var wantsPassword = false
    switch security {
    case .none: break
    case .login: wantsPassword = true
    case .token(let server): more = server.configuration
    case .tls(let authority, let wantsLogin, let wantsClient):
      http += """
          tls:
            certificate: \(authority.path.appending("server.pem"))
            key: \(authority.path.appending("server.key"))

        """
      if wantsClient { http += "    clientcas: [\(authority.path.appending("ca.crt"))]\n" }
      wantsPassword = wantsLogin
    }
    if wantsPassword {
      // The bcrypt hash of the password, as htpasswd -B writes it.
      let file = try directory.write(
        "htpasswd", "jo:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n")
      more = "auth:\n  htpasswd:\n    realm: test\n    path: \(file)\n"
    }
    let configuration = try directory.write(
      "config.yml",
      """
      version: 0.1
      log: {level: info, accesslog: {disabled: true}}
      storage: {filesystem: {rootdirectory: \(directory.path)/data}}
      http:
      \(http)\(more)
      """)
    var ends: [CInt] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    let words = ["docker-registry", "serve", configuration.string]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let failure = posix_spawnp(&process, "docker-registry", &actions, nil, &arguments, environ)
    close(ends[1])
    guard failure == 0 else {
      throw Diagnostic(
        "docker-registry cannot be started", help: "run Scripts/install-packages test")
    }
    self.process = process
    output = ends[0]
    // Its log tells the port once it listens.
    var log: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    var found: String?
    while found == nil {
      let count = read(output, &piece, piece.count)
      guard count > 0 else { break }
      log += piece[..<count]
      let text = String(decoding: log, as: UTF8.self)
      if let start = text.firstRange(of: "listening on 127.0.0.1:") {
        let digits = text[start.upperBound...].prefix { $0.isNumber }
        if text[start.upperBound...].count > digits.count { found = String(digits) }
      }
    }
    guard let found else {
      throw Diagnostic("docker-registry did not start: \(String(decoding: log, as: UTF8.self))")
    }
    host = "127.0.0.1:\(found)"
    // What it logs later must find a reader, or it would stop.
    let output = output
    Thread.reading(output)
  }

  deinit {
    kill(process, SIGKILL)
    var status: CInt = 0
    waitpid(process, &status, 0)
  }
}

private enum Thread {
  /// Reads a pipe to its end, which the other side's exit makes, and closes it.
  static func reading(_ pipe: CInt) {
    Task.detached {
      _ = try? await blocking {
        var piece = [UInt8](repeating: 0, count: 4096)
        while read(pipe, &piece, piece.count) > 0 {}
        close(pipe)
      }
    }
  }
}
