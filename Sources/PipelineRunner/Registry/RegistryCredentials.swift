import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// What a registry takes as proof of who asks.
enum RegistryCredential: Hashable, Sendable {
  case password(user: String, password: String)
  /// A long-lived token that is exchanged for short ones.
  case identity(token: String)
  /// A token sent as it is.
  case bearer(token: String)
}

/// The file in which docker and its relatives keep logins, and the helper programs it names.
///
/// Keys are hosts, with a repository below them where a login is for that alone.
struct RegistryCredentials: Hashable, Sendable {
  var file: FilePath?

  /// `$REGISTRY_AUTH_FILE`, else `config.json` in `$DOCKER_CONFIG` or `~/.docker`.
  static var standard: RegistryCredentials {
    if let path = ProcessVariables.nonEmpty("REGISTRY_AUTH_FILE") {
      return RegistryCredentials(file: FilePath(path))
    }
    if let directory = ProcessVariables.nonEmpty("DOCKER_CONFIG") {
      return RegistryCredentials(file: FilePath(directory).appending("config.json"))
    }
    let home = ProcessVariables.nonEmpty("HOME").map { FilePath($0) }
    return RegistryCredentials(file: home?.appending(".docker/config.json"))
  }

  struct Configuration: Decodable {
    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?

    struct Entry: Decodable {
      var auth: String?
      var username: String?
      var password: String?
      var identitytoken: String?
      var registrytoken: String?
    }
  }

  /// The login for a repository of a registry; nil where there is none.
  ///
  /// - Throws: a diagnostic where the file or a helper cannot be used; it shows no secret.
  func credential(for registry: String, repository: String) throws -> RegistryCredential? {
    guard let file, let configuration = try read(file) else { return nil }
    let keys = Self.keys(for: registry, repository: repository)
    for key in keys {
      if let helper = configuration.credHelpers?[key] {
        return try CredentialHelper(name: helper).get(key)
      }
    }
    for key in keys {
      for (name, entry) in configuration.auths ?? [:] where Self.normalized(name) == key {
        if let credential = try Self.credential(entry, key, file) { return credential }
      }
    }
    guard let helper = configuration.credsStore, !helper.isEmpty else { return nil }
    // A store is asked by the server's name as docker writes it.
    let server = registry == "docker.io" ? Self.hub : registry
    return try CredentialHelper(name: helper).get(server)
  }

  /// The name under which docker keeps Docker Hub's login.
  static let hub = "https://index.docker.io/v1/"

  /// Keys in the order of preference: the repository, what is above it, the host.
  private static func keys(for registry: String, repository: String) -> [String] {
    var keys: [String] = []
    var parts = repository.split(separator: "/")
    while !parts.isEmpty {
      keys.append("\(registry)/\(parts.joined(separator: "/"))")
      parts.removeLast()
    }
    keys.append(registry)
    if registry == "docker.io" {
      keys += ["index.docker.io", "registry-1.docker.io", hub]
    }
    return keys
  }

  /// A key without scheme and version: `https://HOST/v1/` is how old clients wrote a host.
  private static func normalized(_ key: String) -> String {
    var rest = key[...]
    for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
    }
    while rest.hasSuffix("/") { rest = rest.dropLast() }
    for version in ["/v1", "/v2"] where rest.hasSuffix(version) { rest = rest.dropLast(3) }
    return String(rest)
  }

  private static func credential(
    _ entry: Configuration.Entry, _ key: String, _ file: FilePath
  ) throws(Diagnostic) -> RegistryCredential? {
    if let token = entry.registrytoken, !token.isEmpty { return .bearer(token: token) }
    if let token = entry.identitytoken, !token.isEmpty { return .identity(token: token) }
    if let auth = entry.auth, !auth.isEmpty {
      guard let data = Data(base64Encoded: auth) else { throw malformed(key, file) }
      let bytes = Array(data)
      guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { throw malformed(key, file) }
      // Old files end the password with NULs.
      let password = bytes[(colon + 1)...].prefix { $0 != 0 }
      return .password(
        user: String(decoding: bytes[..<colon], as: UTF8.self),
        password: String(decoding: password, as: UTF8.self))
    }
    if let user = entry.username, let password = entry.password {
      return .password(user: user, password: password)
    }
    return nil
  }

  private static func malformed(_ key: String, _ file: FilePath) -> Diagnostic {
    Diagnostic(
      "the login for '\(key)' in '\(file)' cannot be read", help: "log in to '\(key)' again")
  }

  private func read(_ file: FilePath) throws -> Configuration? {
    let bytes: [UInt8]?
    do {
      bytes = try FileContent.readIfPresent(file)
    } catch {
      throw error.diagnostic("the registries' logins cannot be read")
    }
    guard let bytes, !bytes.isEmpty else { return nil }
    do {
      return try JSONDecoder().decode(Configuration.self, from: Data(bytes))
    } catch {
      throw Diagnostic(
        "the registries' logins in '\(file)' are no valid JSON",
        help: "mend the file, or name another with REGISTRY_AUTH_FILE")
    }
  }
}

/// A program that keeps logins, such as `docker-credential-pass`.
struct CredentialHelper: Sendable {
  var name: String

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
      if output.text.contains("credentials not found") { return nil }
      throw failed("get", output)
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output.text.utf8)) else {
      throw Diagnostic("the credential helper '\(program)' answered something unreadable")
    }
    if answer.username == "<token>" { return .identity(token: answer.secret) }
    return .password(user: answer.username, password: answer.secret)
  }

  func store(_ server: String, user: String, password: String) throws {
    let answer = Answer(serverURL: server, username: user, secret: password)
    let input = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
    let output = try run("store", input: input)
    guard output.status == 0 else { throw failed("store", output) }
  }

  func erase(_ server: String) throws {
    let output = try run("erase", input: server)
    guard output.status == 0 || output.text.contains("credentials not found") else {
      throw failed("erase", output)
    }
  }

  private var program: String { "docker-credential-\(name)" }

  private func run(_ action: String, input: String) throws(Diagnostic) -> ChildProcess.Output {
    guard !name.contains("/") else {
      throw Diagnostic("'\(name)' is no name of a credential helper")
    }
    do {
      return try ChildProcess.run([program, action], input: Array(input.utf8))
    } catch {
      throw error.diagnostic("the credential helper '\(program)' cannot be run")
    }
  }

  private func failed(_ action: String, _ output: ChildProcess.Output) -> Diagnostic {
    // Only the first line, and only on failure: on success the output is a secret.
    let line = output.text.split(separator: "\n").first.map(String.init) ?? "no words"
    return Diagnostic("the credential helper '\(program)' failed to \(action): \(line.prefix(200))")
  }
}
