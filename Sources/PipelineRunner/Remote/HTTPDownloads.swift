import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// Fetches what `ADD` names by URL (C13).
struct HTTPDownloads: Downloads {
  let client: HTTPClient
  let retries: RetryPolicy

  func get(
    _ url: String, unless validators: Validators, into file: FilePath
  ) async throws -> DownloadAnswer? {
    try await blocking { try download(url, unless: validators, into: file) }
  }

  private func download(
    _ url: String, unless validators: Validators, into file: FilePath
  ) throws -> DownloadAnswer? {
    let name = "'\(RemoteSource.withoutPassword(url))'"
    guard let (address, login) = WebAddress.splittingLogin(url) else {
      throw Diagnostic("\(name) is no valid HTTP address")
    }
    var attempt = 0
    while true {
      do {
        let exchange = try open(address, login, validators, name)
        switch exchange.response.status {
        case 200..<300: return try store(exchange, into: file)
        case 304 where validators != Validators():
          exchange.discard()
          return nil
        case let status where RetryPolicy.transientStatuses.contains(status):
          exchange.discard()
          guard attempt + 1 < retries.attempts,
            let delay = retries.delay(after: attempt, response: exchange.response)
          else { throw refused(status, name) }
          attempt += 1
          try retries.wait(delay)
        case let status:
          exchange.discard()
          throw refused(status, name)
        }
      } catch let error as TransferError {
        guard error.isTransient, attempt + 1 < retries.attempts,
          let delay = retries.delay(after: attempt, response: nil)
        else {
          throw Diagnostic(
            "\(name) cannot be fetched: \(error)", help: "check the address and the network")
        }
        attempt += 1
        try retries.wait(delay)
      }
    }
  }

  private func refused(_ status: Int, _ name: String) -> Diagnostic {
    Diagnostic("\(name) cannot be fetched: the server answered with status \(status)")
  }

  /// Sends the request and follows redirects; the address's own login goes to its origin only.
  private func open(
    _ start: WebAddress, _ login: String?, _ validators: Validators, _ name: String
  ) throws -> HTTPExchange {
    var address = start
    for _ in 0...10 {
      var request = HTTPRequest(address: address)
      if let tag = validators.entityTag { request.headers.append(("If-None-Match", tag)) }
      if let date = validators.lastModified {
        request.headers.append(("If-Modified-Since", date))
      }
      if let login, address.origin == start.origin {
        let text = Data(login.utf8).base64EncodedString()
        request.headers.append(("Authorization", "Basic \(text)"))
      }
      let exchange = try client.send(request)
      guard [301, 302, 303, 307, 308].contains(exchange.response.status) else { return exchange }
      exchange.discard()
      guard let next = exchange.response["location"].flatMap(address.resolving) else {
        throw Diagnostic("\(name) cannot be fetched: it is redirected to no valid address")
      }
      address = next
    }
    throw Diagnostic("\(name) cannot be fetched: it is redirected in a circle")
  }

  private func store(_ exchange: HTTPExchange, into file: FilePath) throws -> DownloadAnswer {
    let raw = file.withPlatformString {
      Glibc.open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    let output = OwnedDescriptor(owning: raw)
    let hasher = SHA256Hasher()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try exchange.read(into: buffer)
      if count == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      hasher.update(piece)
      try Self.write(piece, to: output.raw, file)
    }
    let lastModified = exchange.response["last-modified"]
    let seconds = lastModified.flatMap(HTTPDate.seconds) ?? 0
    let time = timespec(tv_sec: seconds, tv_nsec: 0)
    // The mode must not hang on the umask (C13).
    guard fchmod(output.raw, 0o600) == 0, futimens(output.raw, [time, time]) == 0 else {
      throw SystemError("futimens", path: file.bytes)
    }
    try output.close()
    return DownloadAnswer(
      digest: hasher.finalize(),
      validators: Validators(entityTag: exchange.response["etag"], lastModified: lastModified))
  }

  private static func write(
    _ bytes: UnsafeRawBufferPointer, to raw: CInt, _ path: FilePath
  ) throws(SystemError) {
    var offset = 0
    while offset < bytes.count {
      let count = Glibc.write(raw, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError("write", path: path.bytes)
      }
      offset += count
    }
  }
}
