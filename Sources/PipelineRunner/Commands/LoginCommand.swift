import ArgumentParser
import Glibc
import PipelineDSL
import SystemPackage

/// `login`: checks a login at its registry and keeps it where docker looks too.
struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Log in to a registry.")

  @OptionGroup var registryFlags: RegistryFlags

  @Option(name: .shortAndLong, help: "The user's name.")
  var username: String

  @Flag(help: "Read the password from standard input.")
  var passwordStdin = false

  @Argument(help: "The registry's host; Docker Hub without one.")
  var registry: String = "docker.io"

  func run() async throws {
    let options = try registryFlags.options()
    let host = LoginCommand.host(registry)
    let (user, password) = (username, try readPassword())
    guard !user.isEmpty, !password.isEmpty else {
      throw CommandFailure.usage("a login needs a user's name and a password")
    }
    let client = RegistryClient(options: options)
    let place = try await blocking {
      try client.endpoint(of: host, login: .password(user: user, password: password)).ping()
      return try options.credentials.store(user: user, password: password, for: host)
    }
    switch place {
    case .helper(let program): print("logged in to \(host); '\(program)' keeps the login")
    case .file(let file):
      print("logged in to \(host); '\(file)' keeps the login, unencrypted and for you alone")
    }
  }

  /// A registry's host as references name it.
  static func host(_ text: String) -> String {
    var host = text[...]
    for scheme in ["https://", "http://"] where host.hasPrefix(scheme) {
      host = host.dropFirst(scheme.count)
    }
    host = host.prefix { $0 != "/" }
    let isHub = ["docker.io", "index.docker.io", "registry-1.docker.io", ""].contains(host)
    return isHub ? "docker.io" : String(host)
  }

  private func readPassword() throws -> String {
    if !passwordStdin && isatty(STDIN_FILENO) == 1 {
      return getpass("Password: ").map { String(cString: $0) } ?? ""
    }
    // Line ends at the end are the shell's, not the password's.
    var text = String(decoding: try FileContent.read("/dev/stdin"), as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }
}

/// `logout`: forgets a login.
struct LogoutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout", abstract: "Forget the login to a registry.")

  @Argument(help: "The registry's host; Docker Hub without one.")
  var registry: String = "docker.io"

  func run() async throws {
    let host = LoginCommand.host(registry)
    _ = try await blocking { try RegistryCredentials.standard.erase(host) }
    print("logged out of \(host)")
  }
}
