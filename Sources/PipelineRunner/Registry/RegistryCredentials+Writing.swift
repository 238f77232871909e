import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

extension RegistryCredentials {
  /// Where a login went.
  enum Place: Hashable, Sendable {
    case helper(String)
    case file(FilePath)
  }

  /// Keeps a login: with the helper that the file names, else in the file itself.
  ///
  /// - Throws: a diagnostic; the file is then what it was.
  @discardableResult
  func store(user: String, password: String, for registry: String) throws -> Place {
    try change(registry) { configuration, server, file in
      if let helper = Self.helper(configuration, registry) {
        try self.helper(helper, in: file).store(server, user: user, password: password)
        // An entry marks the server as known, as docker writes it.
        return (.object([:]), .helper("docker-credential-\(helper)"))
      }
      let auth = Data("\(user):\(password)".utf8).base64EncodedString()
      return (.object(["auth": .string(auth)]), nil)
    }
  }

  /// Forgets a login.
  @discardableResult
  func erase(_ registry: String) throws -> Place {
    try change(registry) { configuration, server, file in
      guard let helper = Self.helper(configuration, registry) else { return (nil, nil) }
      try self.helper(helper, in: file).erase(server)
      return (nil, .helper("docker-credential-\(helper)"))
    }
  }

  private static func helper(_ configuration: JSONValue, _ registry: String) -> String? {
    for key in (registry == "docker.io" ? [hub] : []) + spellings(registry) {
      if let own = configuration["credHelpers"]?[key]?.string, !own.isEmpty { return own }
    }
    return configuration["credsStore"]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A registry's host and its other names; keys of logins are one of these once normalised.
  private static func spellings(_ registry: String) -> [String] {
    registry == "docker.io" ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [registry]
  }

  private func change(
    _ registry: String,
    _ body: (_ configuration: JSONValue, _ server: String, _ file: FilePath) throws -> (
      JSONValue?, Place?
    )
  ) throws -> Place {
    guard let file = file.map(Self.followingLink) else {
      throw Diagnostic(
        "there is no place for logins: HOME is not set", help: "name a file with REGISTRY_AUTH_FILE"
      )
    }
    let server = registry == "docker.io" ? Self.hub : registry
    do {
      let bytes = try FileContent.readIfPresent(file) ?? []
      var configuration = JSONValue.object([:])
      if !bytes.isEmpty {
        guard let read = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)),
          case .object = read
        else {
          throw Diagnostic("'\(file)' is no JSON object; it was left as it is")
        }
        configuration = read
      }
      let (entry, place) = try body(configuration, server, file)
      var logins: [String: JSONValue] = [:]
      if case .object(let known) = configuration["auths"] { logins = known }
      // Under whatever name it was kept: an old one must not be found instead, or after a logout.
      let old = logins.keys.filter { Self.spellings(registry).contains(Self.normalized($0)) }
      // Forgetting what is not there leaves the file alone.
      if entry == nil, old.isEmpty { return place ?? .file(file) }
      for key in old { logins[key] = nil }
      logins[server] = entry
      configuration["auths"] = .object(logins)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Self.replace(file, with: Array(try encoder.encode(configuration)) + [10])
      return place ?? .file(file)
    } catch let error as SystemError {
      throw error.diagnostic("the logins cannot be written")
    }
  }

  /// A link, as people keep for their dotfiles, stays one.
  private static func followingLink(_ file: FilePath) -> FilePath {
    guard let real = file.withPlatformString({ realpath($0, nil) }) else { return file }
    defer { free(real) }
    return FilePath(platformString: real)
  }

  /// Replaces the file whole; at no moment may others read it.
  private static func replace(_ file: FilePath, with bytes: [UInt8]) throws(SystemError) {
    try DirectoryTree.make(file.removingLastComponent(), mode: 0o700)
    let temporary = FilePath(file.string + ".\(Store.uniqueName()).new")
    let raw = temporary.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    }
    guard raw >= 0 else { throw SystemError("open", path: temporary.bytes) }
    let output = OwnedDescriptor(owning: raw)
    do throws(SystemError) {
      guard write(raw, bytes, bytes.count) == bytes.count else {
        throw SystemError("write", path: temporary.bytes)
      }
      guard fsync(raw) == 0 else { throw SystemError("fsync", path: temporary.bytes) }
      try output.close()
      try Call.rename(temporary, to: file)
    } catch {
      _ = temporary.withPlatformString { unlink($0) }
      throw error
    }
  }
}
