import Glibc
import PipelineDSL
import SystemPackage

/// Downloads over HTTP and HTTPS, with redirects followed and passing failures tried again.
struct URLDownloads: Downloads {
  let client: HTTPClient
  var retries = RetryPolicy()

  private static let mostRedirects = 10

  func get(
    _ url: String, unless validators: Validators, into file: FilePath
  ) async throws -> DownloadAnswer? {
    guard let address = WebAddress(url) else {
      throw Diagnostic(
        "'\(RemoteSource.withoutPassword(url))' is no address that can be downloaded",
        help:
          "write http:// or https://, a host and a path; credentials belong in a secret, not here"
      )
    }
    return try await blocking { try get(address, unless: validators, into: file) }
  }

  private func get(
    _ address: WebAddress, unless validators: Validators, into file: FilePath
  ) throws -> DownloadAnswer? {
    var attempt = 0
    while true {
      var response: HTTPResponse?
      do {
        let exchange = try follow(address, validators)
        defer { exchange.finish() }
        response = exchange.response
        switch exchange.response.status {
        case 200: return try save(exchange, to: file)
        case 304: return nil
        case let status where RetryPolicy.transientStatuses.contains(status): break
        case let status: throw refused(address, status)
        }
      } catch let error as TransferError {
        guard error.isTransient, attempt + 1 < retries.attempts else {
          throw Diagnostic("'\(address)' cannot be downloaded: \(error)")
        }
      }
      attempt += 1
      guard attempt < retries.attempts,
        let delay = retries.delay(after: attempt, response: response)
      else { throw refused(address, response?.status ?? 0) }
      try retries.wait(delay)
    }
  }

  private func follow(_ address: WebAddress, _ validators: Validators) throws -> HTTPExchange {
    var current = address
    for _ in 0...Self.mostRedirects {
      var request = HTTPRequest(address: current)
      if let tag = validators.entityTag { request.headers.append(("If-None-Match", tag)) }
      if let time = validators.lastModified { request.headers.append(("If-Modified-Since", time)) }
      let exchange = try client.send(request)
      guard [301, 302, 303, 307, 308].contains(exchange.response.status),
        let location = exchange.response["location"]
      else { return exchange }
      exchange.discard()
      guard let next = current.resolving(location) else {
        throw Diagnostic("'\(current)' leads to '\(location)', which is no address")
      }
      current = next
    }
    throw Diagnostic("'\(address)' leads on more than \(Self.mostRedirects) times")
  }

  private func refused(_ address: WebAddress, _ status: Int) -> Diagnostic {
    Diagnostic(
      "'\(address)' cannot be downloaded: the server answers with invalid response status \(status)",
      help: status == 404 ? "check the address" : nil)
  }

  /// Writes the body to a new file, hashed as it arrives.
  private func save(_ exchange: HTTPExchange, to file: FilePath) throws -> DownloadAnswer {
    let raw = file.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    let target = OwnedDescriptor(owning: raw)
    let hasher = SHA256Hasher()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var received: Int64 = 0
    while true {
      let count = try exchange.read(into: buffer)
      if count == 0 { break }
      received += Int64(count)
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      hasher.update(piece)
      try FileData.write(piece, to: target.raw)
    }
    if let expected = exchange.response.contentLength, expected != received {
      throw TransferError(
        kind: .interrupted, reason: "it ended after \(received) of \(expected) bytes")
    }
    let modified = exchange.response["last-modified"].flatMap(HTTPDate.seconds) ?? 0
    let time = timespec(tv_sec: modified, tv_nsec: 0)
    guard futimens(target.raw, [time, time]) == 0 else { throw SystemError("futimens") }
    // The permissions that the copy gets (C13), whatever the umask.
    guard fchmod(target.raw, 0o600) == 0 else { throw SystemError("fchmod") }
    try target.close()
    return DownloadAnswer(
      digest: hasher.finalize(),
      validators: Validators(
        entityTag: exchange.response["etag"], lastModified: exchange.response["last-modified"]))
  }
}
