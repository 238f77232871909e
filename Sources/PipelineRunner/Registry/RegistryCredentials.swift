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
  /// How long a helper may take: it may have to ask somebody for a password of its own.
  var patience = Duration.seconds(120)

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
      if let name = configuration.credHelpers?[key], !name.isEmpty {
        return try helper(name, in: file).get(Self.helperKey(for: registry, key))
      }
    }
    for key in keys {
      for (name, entry) in configuration.auths ?? [:] where Self.normalized(name) == key {
        if let credential = try Self.credential(entry, key, file) { return credential }
      }
    }
    guard let name = configuration.credsStore, !name.isEmpty else { return nil }
    return try helper(name, in: file).get(Self.helperKey(for: registry, registry))
  }

  /// What a helper is asked for: logins to Docker Hub are kept under one name, however they are
  /// spelled in the file.
  static func helperKey(for registry: String, _ key: String) -> String {
    registry == "docker.io" ? hub : key
  }

  /// The helper of a name in the file.
  func helper(_ name: String, in file: FilePath) -> CredentialHelper {
    CredentialHelper(
      program: "docker-credential-\(name)", name: name, file: file, patience: patience)
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
  static func normalized(_ key: String) -> String {
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
