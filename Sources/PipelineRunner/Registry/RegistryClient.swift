import PipelineDSL
import Synchronization

/// Registries as one build sees them: endpoints and their tokens are shared by all requests.
final class RegistryClient: Sendable {
  let options: RegistryOptions
  let http: HTTPClient
  private let endpoints = Mutex<[String: RegistryEndpoint]>([:])

  init(options: RegistryOptions) {
    self.options = options
    http = HTTPClient(certificates: options.certificates)
  }

  /// The servers to read a reference's repository from: mirrors first, the registry last.
  func sources(of reference: RegistryReference) throws -> [RegistryRepository] {
    let mirrors = (options.mirrors[reference.registry] ?? []).map { address in
      RegistryRepository(
        endpoint: endpoint(address.origin.authority, at: address), name: reference.repository)
    }
    return mirrors + [try repository(of: reference)]
  }

  /// The repository of a reference at its own registry.
  func repository(
    of reference: RegistryReference, isWriting: Bool = false
  ) throws -> RegistryRepository {
    let endpoint = endpoint(
      reference.registry, at: try options.address(of: reference.registry))
    return RegistryRepository(endpoint: endpoint, name: reference.repository, isWriting: isWriting)
  }

  /// A registry as somebody with a login that is not stored yet sees it.
  func endpoint(of registry: String, login: RegistryCredential) throws -> RegistryEndpoint {
    RegistryEndpoint(
      name: registry, base: try options.address(of: registry), client: http, options: options,
      login: login)
  }

  private func endpoint(_ name: String, at base: WebAddress) -> RegistryEndpoint {
    endpoints.withLock { endpoints in
      if let endpoint = endpoints["\(name) \(base.text)"] { return endpoint }
      let endpoint = RegistryEndpoint(name: name, base: base, client: http, options: options)
      endpoints["\(name) \(base.text)"] = endpoint
      return endpoint
    }
  }
}
