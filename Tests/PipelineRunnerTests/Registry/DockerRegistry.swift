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
  private let process: ServerProcess

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
    process = try ServerProcess(
      ["docker-registry", "serve", configuration.string], announcing: "listening on 127.0.0.1:")
    // A quote or a blank ends the port in its log.
    host = "127.0.0.1:\(process.announced.prefix { $0.isNumber })"
  }
}
