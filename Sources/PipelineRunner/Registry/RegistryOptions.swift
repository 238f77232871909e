import PipelineDSL

/// How registries are reached.
struct RegistryOptions: Sendable {
  /// Hosts, with their ports, that are spoken to without TLS; loopback ones are beside these.
  var plainHosts: Set<String> = []
  /// Hosts and networks that docker was told to need no TLS; with certificates here they use it.
  var insecureHosts: Set<String> = []
  var insecureNetworks: [NetworkPrefix] = []
  /// Where to look first for what a registry has, by the registry's host.
  var mirrors: [String: [WebAddress]] = [:]
  var certificates = CertificateDirectories.standard
  var credentials = RegistryCredentials.standard
  /// Where docker was told of mirrors and plain hosts; read when a registry is first needed.
  var daemonFile = DockerDaemonFile.standard
  var retries = RetryPolicy()
  var patience = TransferPatience()
  /// Larger blobs are sent in parts of this size, so that a break costs one part.
  var chunkSize: Int64 = 256 << 20

  /// Whether a server may be spoken to without TLS.
  func allowsPlain(_ origin: HTTPOrigin) -> Bool {
    let names = [origin.authority, "\(origin.host):\(origin.port)"]
    return origin.isLoopback
      || names.contains { plainHosts.contains($0) || insecureHosts.contains($0) }
      || insecureNetworks.contains { $0.contains(origin.host) }
  }

  /// With what docker was told.
  func withDaemonFile() throws -> RegistryOptions {
    var options = self
    try daemonFile.apply(to: &options)
    options.daemonFile.candidates = []
    return options
  }

  /// The server of a registry.
  ///
  /// - Throws: a diagnostic where the host is no address.
  func address(of registry: String) throws(Diagnostic) -> WebAddress {
    let host = registry == "docker.io" ? "registry-1.docker.io" : registry
    guard let secure = WebAddress("https://\(host)"), secure.path == "/" else {
      throw Diagnostic("'\(registry)' is no host of a registry")
    }
    if plainHosts.contains(registry) { return WebAddress("http://\(host)") ?? secure }
    guard allowsPlain(secure.origin), let plain = WebAddress("http://\(host)") else {
      return secure
    }
    // One on loopback, or that docker need not trust, wants TLS where it has certificates here.
    let trust = try certificates.settings(for: secure.origin)
    return trust == TrustSettings() ? plain : secure
  }
}
