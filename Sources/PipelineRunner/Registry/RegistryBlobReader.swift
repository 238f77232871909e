import PipelineDSL

/// A blob that arrives while it is read, and goes on where a connection broke (threat 28).
///
/// Nothing is verified here but the length: whoever reads hashes what it reads.
final class RegistryBlobReader: BlobReader {
  private let descriptor: Descriptor
  private let subject: String
  private var repository: RegistryRepository
  private var exchange: HTTPExchange?
  private var received: Int64 = 0
  /// Breaks without progress between them, and where the last one was.
  private var failures = 0
  private var lastBreak: Int64 = 0
  /// What counts as progress: a server that drips must not be asked for ever.
  private static let progress: Int64 = 64 << 10
  /// The registry itself, where a mirror is being read.
  private var fallback: RegistryRepository?

  init(
    _ descriptor: Descriptor, of repositories: [RegistryRepository], _ subject: String
  ) throws {
    self.descriptor = descriptor
    self.subject = subject
    guard let last = repositories.last else {
      throw Diagnostic("there is no registry to read \(subject) from")
    }
    repository = last
    for candidate in repositories.dropLast() {
      // What a mirror lacks or refuses, the registry itself may have.
      guard let found = try? candidate.blob(descriptor.digest, from: 0, subject) else {
        try Cancellation.check()
        continue
      }
      let length = found.response.contentLength
      guard found.response.status == 200, length == nil || length == descriptor.size else {
        found.finish()
        continue
      }
      repository = candidate
      fallback = last
      exchange = found
      break
    }
    if exchange == nil { exchange = try open() }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      do {
        let current = try exchange ?? open()
        exchange = current
        let count = try current.read(into: buffer)
        received += Int64(count)
        if received > descriptor.size { throw tooLong() }
        if count > 0 {
          if received - lastBreak >= Self.progress { failures = 0 }
          return count
        }
        if received == descriptor.size { return 0 }
        throw TransferError(
          kind: .interrupted,
          reason: "it ended after \(received) of \(descriptor.size) bytes")
      } catch let error as TransferError {
        exchange?.finish()
        exchange = nil
        try pause(after: error)
      }
    }
  }

  private func pause(after error: TransferError) throws {
    let endpoint = repository.endpoint
    failures += 1
    lastBreak = received
    if let fallback, !error.isTransient || failures == endpoint.retries.attempts {
      // A mirror's trouble is not the build's.
      repository = fallback
      self.fallback = nil
      failures = 0
      return
    }
    guard error.isTransient, failures < endpoint.retries.attempts,
      let delay = endpoint.retries.delay(after: failures, response: nil)
    else {
      throw endpoint.unreachable(error, endpoint.base.origin, "a layer of \(subject)")
    }
    try endpoint.retries.wait(delay)
  }

  /// Opens the blob at the first byte that is missing.
  private func open() throws -> HTTPExchange {
    let next = try repository.blob(descriptor.digest, from: received, subject)
    switch next.response.status {
    case 200:
      try check(next)
      // The server knows no ranges: what was had before passes by once more.
      try skip(received, of: next)
    case 206:
      guard let range = next.response["content-range"],
        range.hasPrefix("bytes \(received)-")
      else {
        throw Diagnostic(
          "the registry '\(repository.endpoint.name)' sent another part of a layer of \(subject) than asked for"
        )
      }
      if let total = range.split(separator: "/").last, total != "*",
        Int64(total) != descriptor.size
      {
        throw wrongLength(String(total))
      }
    case 404:
      next.discard()
      throw Diagnostic(
        "the registry '\(repository.endpoint.name)' does not have the layer \(descriptor.digest) of \(subject)"
      )
    case 416:
      next.discard()
      throw wrongLength("less than \(received + 1)")
    default:
      throw repository.endpoint.refusal(
        next,
        "the registry '\(repository.endpoint.name)' does not give a layer of \(subject)")
    }
    return next
  }

  private func check(_ exchange: HTTPExchange) throws(Diagnostic) {
    if let length = exchange.response.contentLength, length != descriptor.size {
      throw wrongLength("\(length)")
    }
  }

  private func skip(_ count: Int64, of exchange: HTTPExchange) throws {
    var left = count
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while left > 0 {
      let got = try piece.withUnsafeMutableBytes { buffer in
        try exchange.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, Int(left))]))
      }
      guard got > 0 else {
        throw TransferError(kind: .interrupted, reason: "it ended before its place of break")
      }
      left -= Int64(got)
    }
  }

  private func wrongLength(_ length: String) -> Diagnostic {
    Diagnostic(
      "the layer \(descriptor.digest) of \(subject) has \(length) bytes at the registry '\(repository.endpoint.name)' and \(descriptor.size) in its manifest"
    )
  }

  private func tooLong() -> Diagnostic { wrongLength("more than \(descriptor.size)") }
}
