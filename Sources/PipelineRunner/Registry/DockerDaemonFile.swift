import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// The file in which docker's daemon is told of registries: `registry-mirrors`, which are of Docker
/// Hub, and `insecure-registries`, which need no TLS.
///
/// Whoever set up a mirror for docker on a machine means its images for every builder there.
struct DockerDaemonFile: Hashable, Sendable {
  /// The first that is there counts.
  var candidates: [FilePath]

  /// That of the user's own daemon, else the machine's.
  static var standard: DockerDaemonFile {
    let configuration =
      ProcessVariables.nonEmpty("XDG_CONFIG_HOME").map { FilePath($0) }
      ?? ProcessVariables.nonEmpty("HOME").map { FilePath($0).appending(".config") }
    let own = configuration.map { [$0.appending("docker/daemon.json")] } ?? []
    return DockerDaemonFile(candidates: own + ["/etc/docker/daemon.json"])
  }

  private struct Content: Decodable {
    var mirrors: [String]?
    var insecure: [String]?

    enum CodingKeys: String, CodingKey {
      case mirrors = "registry-mirrors"
      case insecure = "insecure-registries"
    }
  }

  /// Adds what the file says to options; mirrors that they name for Docker Hub stand above its own.
  ///
  /// A file that this user may not read is not meant for this user.
  ///
  /// - Throws: a diagnostic for one that is no JSON, or names what is no address.
  func apply(to options: inout RegistryOptions) throws {
    guard let (file, content) = try read() else { return }
    for entry in content.insecure ?? [] {
      if entry.contains("/") {
        guard let network = NetworkPrefix(entry) else { throw Self.wrong(file, entry) }
        options.insecureNetworks.append(network)
      } else {
        options.insecureHosts.insert(entry)
      }
    }
    guard options.mirrors["docker.io"] == nil else { return }
    let mirrors = try (content.mirrors ?? []).map { text in
      guard let address = WebAddress(text.contains("://") ? text : "https://\(text)") else {
        throw Self.wrong(file, text)
      }
      return address
    }
    if !mirrors.isEmpty { options.mirrors["docker.io"] = mirrors }
  }

  private func read() throws -> (file: FilePath, content: Content)? {
    for file in candidates {
      let bytes: [UInt8]?
      do {
        bytes = try FileContent.readIfPresent(file)
      } catch {
        if error.code == EACCES { return nil }
        throw error.diagnostic("docker's settings of registries cannot be read")
      }
      guard let bytes else { continue }
      // The daemon takes an empty file for one without settings.
      if bytes.allSatisfy({ " \t\r\n".utf8.contains($0) }) { return nil }
      do {
        return (file, try JSONDecoder().decode(Content.self, from: Data(bytes)))
      } catch {
        throw Diagnostic(
          "'\(file)', which tells docker and this program of registries, cannot be understood",
          help:
            "mend it: a JSON object, with lists of texts as 'registry-mirrors' and 'insecure-registries'"
        )
      }
    }
    return nil
  }

  private static func wrong(_ file: FilePath, _ entry: String) -> Diagnostic {
    // An address may hold a login.
    Diagnostic(
      "'\(RemoteSource.withoutPassword(entry))' in '\(file)' is no address of a registry",
      help:
        "write https://HOST for a mirror, and HOST:PORT or NETWORK/BITS for a registry without TLS"
    )
  }
}

/// IPv4 addresses with the same first bits: `10.0.0.0/8`.
struct NetworkPrefix: Hashable, Sendable {
  private var address: UInt32
  private var mask: UInt32

  init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let bits = UInt8(parts[1]), bits <= 32,
      let address = Self.number(String(parts[0]))
    else { return nil }
    mask = bits == 0 ? 0 : ~UInt32(0) << (32 - UInt32(bits))
    self.address = address & mask
  }

  /// Whether a host that is written as an address lies in it; names are not resolved.
  func contains(_ host: String) -> Bool {
    Self.number(host).map { $0 & mask == address } ?? false
  }

  private static func number(_ host: String) -> UInt32? {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { UInt8($0) }
    guard parts.count == 4, bytes.count == 4 else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }
}
