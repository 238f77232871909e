import PipelineDSL

/// How registries are reached.
struct RegistryOptions: Sendable {
  /// Hosts, with their ports, that are spoken to without TLS; loopback ones are beside these.
  var plainHosts: Set<String> = []
  /// Where to look first for what a registry has, by the registry's host.
  var mirrors: [String: [WebAddress]] = [:]
  var certificates = CertificateDirectories.standard
  var credentials = RegistryCredentials.standard
  var retries = RetryPolicy()
  /// Larger blobs are sent in parts of this size, so that a break costs one part.
  var chunkSize: Int64 = 256 << 20

  /// Whether a server may be spoken to without TLS.
  func allowsPlain(_ origin: HTTPOrigin) -> Bool {
    origin.isLoopback || plainHosts.contains(origin.authority)
      || plainHosts.contains("\(origin.host):\(origin.port)")
  }

  /// The server of a registry.
  ///
  /// - Throws: a diagnostic where the host is no address.
  func address(of registry: String) throws(Diagnostic) -> WebAddress {
    let host = registry == "docker.io" ? "registry-1.docker.io" : registry
    guard let secure = WebAddress("https://\(host)"), secure.path == "/" else {
      throw Diagnostic("'\(registry)' is no host of a registry")
    }
    guard plainHosts.contains(registry) || secure.origin.isLoopback,
      let plain = WebAddress("http://\(host)")
    else { return secure }
    // A loopback registry with certificates of its own wants TLS.
    let trust = try certificates.settings(for: secure.origin)
    return trust == TrustSettings() || plainHosts.contains(registry) ? plain : secure
  }
}
