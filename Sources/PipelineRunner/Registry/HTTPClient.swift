import Dispatch
import Glibc
import PipelineDSL
import Synchronization

/// Connections to servers: kept open between requests, and few to each.
///
/// Every call blocks; use it inside ``blocking(_:)``.
final class HTTPClient: Sendable {
  private let certificates: CertificateDirectories
  private let patience: TransferPatience
  private let pools = Mutex<[HTTPOrigin: ConnectionPool]>([:])

  init(
    certificates: CertificateDirectories, patience: TransferPatience = TransferPatience()
  ) {
    self.certificates = certificates
    self.patience = patience
  }

  /// Sends one request and waits for the head of its answer; redirects are answers too.
  ///
  /// A thread may have one exchange at a time: a second could wait for a connection that the first
  /// one holds.
  ///
  /// - Throws: a ``TransferError``, a diagnostic about certificates, or a cancellation.
  func send(_ request: HTTPRequest) throws -> HTTPExchange {
    let pool = try pool(for: request.address.origin)
    let connection = try pool.take()
    do {
      let response = try connection.send(request, trust: pool.trust)
      return HTTPExchange(response, over: connection, of: pool)
    } catch {
      connection.finish()
      pool.giveBack(connection)
      throw error
    }
  }

  private func pool(for origin: HTTPOrigin) throws(Diagnostic) -> ConnectionPool {
    if let pool = pools.withLock({ $0[origin] }) { return pool }
    let trust = try certificates.settings(for: origin)
    return pools.withLock { pools in
      if let pool = pools[origin] { return pool }
      let pool = ConnectionPool(trust: trust, patience: patience)
      pools[origin] = pool
      return pool
    }
  }
}

/// The connections to one server.
final class ConnectionPool: Sendable {
  let trust: TrustSettings
  private let patience: TransferPatience
  private let idle = Mutex<[HTTPConnection]>([])
  private let slots = DispatchSemaphore(value: ConnectionPool.limit)

  /// How many transfers one server sees at once.
  static let limit = 6

  init(trust: TrustSettings, patience: TransferPatience) {
    self.trust = trust
    self.patience = patience
  }

  /// Waits for a connection.
  func take() throws -> HTTPConnection {
    while slots.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
      try Cancellation.check()
    }
    if let connection = idle.withLock({ $0.popLast() }) { return connection }
    do {
      return try HTTPConnection(patience: patience)
    } catch {
      slots.signal()
      throw error
    }
  }

  func giveBack(_ connection: HTTPConnection) {
    idle.withLock { $0.append(connection) }
    slots.signal()
  }
}

/// An answer whose body is read as it arrives.
final class HTTPExchange {
  let response: HTTPResponse
  private var connection: HTTPConnection?
  private let pool: ConnectionPool

  init(_ response: HTTPResponse, over connection: HTTPConnection, of pool: ConnectionPool) {
    self.response = response
    self.connection = connection
    self.pool = pool
  }

  deinit {
    finish()
  }

  /// Fills a part of the buffer, waiting until there is something; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let connection else { return 0 }
    let count = try connection.read(into: buffer)
    if count == 0 { finish() }
    return count
  }

  /// The whole body, nil where it is longer than the limit.
  func body(limit: Int) throws -> [UInt8]? {
    var body: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = try piece.withUnsafeMutableBytes { try read(into: $0) }
      if count == 0 { return body }
      guard body.count + count <= limit else {
        finish()
        return nil
      }
      body += piece[..<count]
    }
  }

  /// Reads what is left of a short body, so that the connection serves again, and ends.
  func discard() {
    _ = try? body(limit: 64 << 10)
    finish()
  }

  /// Gives the connection back; an answer not read to its end closes it.
  func finish() {
    guard let connection else { return }
    self.connection = nil
    connection.finish()
    pool.giveBack(connection)
  }
}
