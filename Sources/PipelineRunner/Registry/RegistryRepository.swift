import PipelineDSL

/// One repository at one server.
struct RegistryRepository: Sendable {
  let endpoint: RegistryEndpoint
  /// The path, such as `library/python`.
  let name: String
  var isWriting = false
  /// Another repository of the registry that blobs may be mounted from.
  var mounting: String?

  var scope: RegistryScope {
    RegistryScope(repository: name, isWriting: isWriting, mounting: mounting)
  }

  /// A manifest or index as it came, its digest checked where one was asked for.
  struct Document: Sendable {
    var bytes: [UInt8]
    var digest: Digest
    /// As the server calls it.
    var mediaType: String?
  }

  /// No manifest is longer (distribution specification, pushing manifests).
  static let documentLimit = 4 << 20

  private static let accepted = [
    MediaType.ociIndex, MediaType.ociManifest, MediaType.dockerManifestList,
    MediaType.dockerManifest,
  ].joined(separator: ", ")

  /// The digest that a tag stands for now; nil where the server does not tell.
  func digest(ofTag tag: String, _ subject: String) throws -> Digest? {
    let exchange = try endpoint.send(
      request("HEAD", "manifests/\(tag)", [("Accept", Self.accepted)], subject))
    defer { exchange.discard() }
    guard exchange.response.status == 200 else { return nil }
    return exchange.response["docker-content-digest"].flatMap { Digest($0) }
  }

  /// A manifest or index by tag or digest; nil where there is none.
  func document(_ identifier: String, _ subject: String) throws -> Document? {
    let request = request("GET", "manifests/\(identifier)", [("Accept", Self.accepted)], subject)
    guard let (bytes, response) = try content(request, limit: Self.documentLimit) else {
      return nil
    }
    let digest = SHA256Hasher.digest(of: bytes)
    let promised = Digest(identifier) ?? response["docker-content-digest"].flatMap { Digest($0) }
    guard promised == nil || promised == digest else {
      throw Diagnostic(
        "the registry '\(endpoint.name)' sent another manifest for \(subject) than it names",
        notes: [.init("\(promised.map { "\($0)" } ?? "") was asked for, \(digest) came")])
    }
    return Document(bytes: bytes, digest: digest, mediaType: response.contentType)
  }

  /// A whole small blob, checked.
  func smallBlob(_ descriptor: Descriptor, limit: Int, _ subject: String) throws -> [UInt8] {
    guard descriptor.size >= 0, descriptor.size <= limit else {
      throw Diagnostic(
        "the config of \(subject) is said to have \(descriptor.size) bytes; \(limit) are allowed")
    }
    let request = request("GET", "blobs/\(descriptor.digest)", [], subject)
    guard let (bytes, _) = try content(request, limit: Int(descriptor.size)) else {
      throw Diagnostic(
        "the registry '\(endpoint.name)' does not have the blob \(descriptor.digest) of \(subject)")
    }
    guard bytes.count == Int(descriptor.size), SHA256Hasher.digest(of: bytes) == descriptor.digest
    else {
      throw Diagnostic(
        "the registry '\(endpoint.name)' sent other bytes for the blob \(descriptor.digest) of \(subject) than its digest says"
      )
    }
    return bytes
  }

  /// Opens a blob from an offset.
  func blob(_ digest: Digest, from offset: Int64, _ subject: String) throws -> HTTPExchange {
    try endpoint.send(
      request(
        "GET", "blobs/\(digest)", offset > 0 ? [("Range", "bytes=\(offset)-")] : [], subject))
  }

  func hasBlob(_ digest: Digest, _ subject: String) throws -> Bool {
    let exchange = try endpoint.send(request("HEAD", "blobs/\(digest)", [], subject))
    defer { exchange.discard() }
    return exchange.response.status == 200
  }

  func request(
    _ method: String, _ path: String, _ headers: [(name: String, value: String)],
    _ subject: String
  ) -> RegistryEndpoint.Request {
    RegistryEndpoint.Request(
      method: method, target: .path("\(name)/\(path)"), scope: scope, headers: headers,
      subject: subject)
  }

  /// A whole body; nil on 404.
  ///
  /// A transfer that breaks off starts again.
  private func content(
    _ request: RegistryEndpoint.Request, limit: Int
  ) throws -> (bytes: [UInt8], response: HTTPResponse)? {
    let retries = endpoint.retries
    var attempt = 0
    while true {
      let exchange = try endpoint.send(request)
      switch exchange.response.status {
      case 200: break
      case 404:
        exchange.discard()
        return nil
      default:
        throw endpoint.refusal(
          exchange, "the registry '\(endpoint.name)' does not give \(request.subject)")
      }
      do {
        guard let bytes = try exchange.body(limit: limit) else {
          throw Diagnostic(
            "the registry '\(endpoint.name)' sends more than \(limit) bytes for \(request.subject)")
        }
        return (bytes, exchange.response)
      } catch let error as TransferError {
        attempt += 1
        guard attempt < retries.attempts, let delay = retries.delay(after: attempt, response: nil)
        else { throw endpoint.unreachable(error, endpoint.base.origin, request.subject) }
        exchange.finish()
        try retries.wait(delay)
      }
    }
  }
}
