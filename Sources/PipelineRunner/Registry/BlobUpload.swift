import PipelineDSL
import SystemPackage

/// The upload of one blob: whole where it is small, in chunks that can go on after a break where it
/// is not (distribution specification, pushing blobs).
struct BlobUpload {
  let push: RegistryPush
  let descriptor: Descriptor
  let file: FilePath

  private var endpoint: RegistryEndpoint { push.repository.endpoint }

  /// Where the server wants the next part.
  private struct Session {
    var address: WebAddress
    var chunkMinimum: Int64
  }

  /// What ends one try of an upload, and may not end the next.
  private enum Interruption: Error {
    /// The server no longer knows the upload.
    case lost
    /// The server, or something before it, takes no body of this size.
    case tooLarge
  }

  /// Sends the blob.
  ///
  /// - Throws: a diagnostic that names the registry, the image and the reason.
  func run() throws {
    var chunk = endpoint.chunkSize
    var attempt = 0
    while true {
      do {
        let session = try start()
        let size = max(chunk, session.chunkMinimum)
        if descriptor.size <= size {
          try finish(session.address, .file(file, offset: 0, count: descriptor.size))
        } else {
          try finish(try send(session, chunk: size), .none)
        }
        return
      } catch Interruption.tooLarge where chunk > Self.smallChunk {
        chunk = Self.smallChunk
      } catch Interruption.tooLarge {
        throw Diagnostic(
          "the registry '\(endpoint.name)' takes no parts of \(min(chunk, descriptor.size)) bytes for \(push.subject)",
          help:
            "raise the limit of a request's body at the registry, or at the proxy before it (client_max_body_size in nginx)"
        )
      } catch is Interruption {
        attempt += 1
        guard attempt < endpoint.retries.attempts,
          let delay = endpoint.retries.delay(after: attempt, response: nil)
        else {
          throw Diagnostic(
            "the registry '\(endpoint.name)' lost the upload of a layer of \(push.subject) \(attempt) times",
            help: "try again")
        }
        try endpoint.retries.wait(delay)
      }
    }
  }

  /// What a proxy before a registry lets pass, when it does not let pass everything.
  private static let smallChunk: Int64 = 16 << 20

  private func start() throws -> Session {
    let exchange = try endpoint.send(
      push.repository.request("POST", "blobs/uploads/", [], push.subject))
    guard exchange.response.status == 202 else {
      throw push.refusal(exchange, "takes no layer of \(push.subject)")
    }
    exchange.discard()
    let minimum = exchange.response["oci-chunk-min-length"].flatMap { Int64($0) } ?? 0
    return Session(
      address: try endpoint.location(exchange.response, from: nil, "an upload for \(push.subject)"),
      chunkMinimum: max(0, min(minimum, 4 << 30)))
  }

  /// Sends all chunks; the result is where the upload is to be closed.
  private func send(_ session: Session, chunk: Int64) throws -> WebAddress {
    var address = session.address
    var offset: Int64 = 0
    var failures = 0
    while offset < descriptor.size {
      let count = min(chunk, descriptor.size - offset)
      var request = request("PATCH", address)
      request.headers = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Range", "\(offset)-\(offset + count - 1)"),
      ]
      request.body = .file(file, offset: offset, count: count)
      request.isRepeatable = false
      let exchange: HTTPExchange
      do {
        exchange = try endpoint.send(request)
      } catch let error as TransferError {
        failures += 1
        guard error.isTransient, failures < endpoint.retries.attempts,
          let delay = endpoint.retries.delay(after: failures, response: nil)
        else { throw endpoint.unreachable(error, address.origin, push.subject) }
        try endpoint.retries.wait(delay)
        (address, offset) = try progress(address)
        continue
      }
      switch exchange.response.status {
      case 202, 204:
        exchange.discard()
        failures = 0
        address = try endpoint.location(exchange.response, from: address, push.subject)
        offset = Self.received(exchange.response) ?? offset + count
      case 404:
        exchange.discard()
        throw Interruption.lost
      case 413:
        exchange.discard()
        throw Interruption.tooLarge
      case 416 where failures + 1 < endpoint.retries.attempts:
        exchange.discard()
        failures += 1
        (address, offset) = try progress(address)
      default: throw push.refusal(exchange, "does not take a layer of \(push.subject)")
      }
    }
    return address
  }

  /// Asks how much of an upload arrived.
  private func progress(_ address: WebAddress) throws -> (WebAddress, Int64) {
    let exchange = try endpoint.send(request("GET", address))
    exchange.discard()
    guard exchange.response.status == 204 || exchange.response.status == 202 else {
      throw Interruption.lost
    }
    let next =
      exchange.response["location"] == nil
      ? address : try endpoint.location(exchange.response, from: address, push.subject)
    return (next, Self.received(exchange.response) ?? 0)
  }

  /// The count of bytes that a `Range: 0-N` says arrived.
  ///
  /// An empty upload is said to hold `0-0` too, and then its first byte would be left out.
  private static func received(_ response: HTTPResponse) -> Int64? {
    guard let range = response["range"], let last = range.split(separator: "-").last,
      let end = Int64(last)
    else { return nil }
    return end == 0 ? 0 : end + 1
  }

  private func finish(_ address: WebAddress, _ body: HTTPRequest.Body) throws {
    guard let target = address.appendingQuery("digest", "\(descriptor.digest)") else {
      throw Diagnostic(
        "the registry '\(endpoint.name)' gives no valid address to upload \(push.subject) to")
    }
    var request = request("PUT", target)
    request.headers = [("Content-Type", "application/octet-stream")]
    request.body = body
    request.isRepeatable = false
    let exchange: HTTPExchange
    do {
      exchange = try endpoint.send(request)
    } catch let error as TransferError {
      guard error.isTransient else {
        throw endpoint.unreachable(error, target.origin, push.subject)
      }
      throw Interruption.lost
    }
    switch exchange.response.status {
    case 201, 204: exchange.discard()
    case 404:
      exchange.discard()
      throw Interruption.lost
    case 413:
      exchange.discard()
      throw Interruption.tooLarge
    case let status where RetryPolicy.transientStatuses.contains(status):
      exchange.discard()
      throw Interruption.lost
    default: throw push.refusal(exchange, "does not take a layer of \(push.subject)")
    }
  }

  private func request(_ method: String, _ address: WebAddress) -> RegistryEndpoint.Request {
    RegistryEndpoint.Request(
      method: method, target: .address(address), scope: push.repository.scope,
      subject: push.subject)
  }
}
