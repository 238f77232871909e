import PipelineDSL
import Synchronization

/// Registries as one build sees them: endpoints and their tokens are shared by all requests.
final class RegistryClient: Sendable {
  /// As the command line gives them.
  let options: RegistryOptions
  private let complete = Mutex<RegistryOptions?>(nil)
  let http: HTTPClient
  private let endpoints = Mutex<[String: RegistryEndpoint]>([:])

  init(options: RegistryOptions) {
    self.options = options
    http = HTTPClient(certificates: options.certificates, patience: options.patience)
  }

  /// The options, with docker's settings from the first use on: a build without a registry does not
  /// ask for them.
  private func completeOptions() throws -> RegistryOptions {
    try complete.withLock { complete in
      if let complete { return complete }
      let options = try options.withDaemonFile()
      complete = options
      return options
    }
  }

  /// The servers to read a reference's repository from: mirrors first, the registry last.
  func sources(of reference: RegistryReference) throws -> [RegistryRepository] {
    let options = try completeOptions()
    let mirrors = (options.mirrors[reference.registry] ?? []).map { address in
      RegistryRepository(
        endpoint: endpoint(address.origin.authority, at: address, options),
        name: reference.repository)
    }
    return mirrors + [try repository(of: reference)]
  }

  /// The repository of a reference at its own registry.
  func repository(
    of reference: RegistryReference, isWriting: Bool = false
  ) throws -> RegistryRepository {
    let options = try completeOptions()
    let endpoint = endpoint(
      reference.registry, at: try options.address(of: reference.registry), options)
    return RegistryRepository(endpoint: endpoint, name: reference.repository, isWriting: isWriting)
  }

  /// A registry as somebody with a login that is not stored yet sees it.
  func endpoint(of registry: String, login: RegistryCredential) throws -> RegistryEndpoint {
    let options = try completeOptions()
    return RegistryEndpoint(
      name: registry, base: try options.address(of: registry), client: http, options: options,
      login: login)
  }

  private func endpoint(
    _ name: String, at base: WebAddress, _ options: RegistryOptions
  ) -> RegistryEndpoint {
    endpoints.withLock { endpoints in
      if let endpoint = endpoints["\(name) \(base.text)"] { return endpoint }
      let endpoint = RegistryEndpoint(name: name, base: base, client: http, options: options)
      endpoints["\(name) \(base.text)"] = endpoint
      return endpoint
    }
  }
}
