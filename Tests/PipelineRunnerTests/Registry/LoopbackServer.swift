import Dispatch
import Glibc
import Synchronization

@testable import PipelineRunner

/// An HTTP/1.1 server on loopback that answers as a test tells it to, wrongly where it should.
final class LoopbackServer: Sendable {
  struct Request: Sendable {
    var method: String
    /// Path and query.
    var target: String
    var headers: [String: String]
    var body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }

    /// A field of the query, decoded where it has none but the commonest escapes.
    func query(_ name: String) -> [String] {
      target.split(separator: "?").dropFirst().first?.split(separator: "&").compactMap { field in
        let (key, value) = String(field).splitAtEqualsSign
        return key == name
          ? value.split(separator: "%3A", omittingEmptySubsequences: false).joined(separator: ":")
            .split(separator: "%2F", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "%2f", omittingEmptySubsequences: false).joined(separator: "/")
            .split(separator: "%3a", omittingEmptySubsequences: false).joined(separator: ":")
            .split(separator: "%2C", omittingEmptySubsequences: false).joined(separator: ",")
            .split(separator: "%2c", omittingEmptySubsequences: false).joined(separator: ",")
          : nil
      } ?? []
    }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// What Content-Length says where that is not the truth.
    var claimedLength: Int?
    /// The connection ends after so many bytes of the body.
    var cutsAfter: Int?
    /// After so many bytes of the body nothing follows, or a byte now and then, while the
    /// connection stays open.
    var stallsAfter: Int?
    var drips = false
    /// The connection ends before any answer.
    var isSilent = false
    /// Whether the end is a reset.
    var resets = false
  }

  typealias Handler = @Sendable (Request) -> Answer

  let port: Int
  private let listener: CInt
  private let handler: Handler
  private let log = Mutex<[Request]>([])
  private let queue = DispatchQueue(label: "loopback", attributes: .concurrent)

  init(_ handler: @escaping Handler) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, size) == 0 && listen(listener, 64) == 0
          && getsockname(listener, generic, &size) == 0
      }
    }
    guard isBound else { throw SystemError("bind") }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.handler = handler
    queue.async { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let server = self else {
          if connection >= 0 { close(connection) }
          return
        }
        server.queue.async { server.serve(connection) }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  var host: String { "127.0.0.1:\(port)" }

  /// Every request so far.
  var requests: [Request] { log.withLock { $0 } }

  private func serve(_ connection: CInt) {
    defer { close(connection) }
    var input: [UInt8] = []
    while let request = Self.next(connection, &input) {
      log.withLock { $0.append(request) }
      let answer = handler(request)
      guard Self.send(answer, to: request, connection) else {
        if answer.resets {
          var option = linger(l_onoff: 1, l_linger: 0)
          setsockopt(
            connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        return
      }
    }
  }

  private static func next(_ connection: CInt, _ input: inout [UInt8]) -> Request? {
    let end = Array("\r\n\r\n".utf8)
    var headEnd: Int?
    while headEnd == nil {
      headEnd = input.indices.first { input[$0...].starts(with: end) }
      if headEnd == nil, !fill(connection, &input) { return nil }
    }
    guard let headEnd else { return nil }
    let lines = String(decoding: input[..<headEnd], as: UTF8.self).split(separator: "\r\n")
    let words = lines[0].split(separator: " ")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(
        line[line.index(after: colon)...].drop { $0 == " " })
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    input.removeFirst(headEnd + 4)
    while input.count < length { if !fill(connection, &input) { return nil } }
    let body = Array(input[..<length])
    input.removeFirst(length)
    return Request(
      method: String(words[0]), target: String(words[1]), headers: headers, body: body)
  }

  private static func fill(_ connection: CInt, _ input: inout [UInt8]) -> Bool {
    var piece = [UInt8](repeating: 0, count: 65536)
    let count = recv(connection, &piece, piece.count, 0)
    guard count > 0 else { return false }
    input += piece[..<count]
    return true
  }

  /// Whether the connection goes on.
  private static func send(_ answer: Answer, to request: Request, _ connection: CInt) -> Bool {
    if answer.isSilent { return false }
    var head = "HTTP/1.1 \(answer.status) Status\r\n"
    for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
    let length = answer.claimedLength ?? answer.body.count
    head += "Content-Length: \(length)\r\n\r\n"
    if request.method == "HEAD" { return write(Array(head.utf8), connection) }
    if let cut = answer.cutsAfter {
      _ = write(Array(head.utf8) + answer.body.prefix(cut), connection)
      return false
    }
    if let count = answer.stallsAfter {
      _ = write(Array(head.utf8) + answer.body.prefix(count), connection)
      stall(answer, from: count, connection)
      return false
    }
    // In one piece: two small ones would wait for an acknowledgement in between.
    return write(Array(head.utf8) + answer.body, connection) && length == answer.body.count
  }

  /// Keeps the connection until the other side ends it.
  private static func stall(_ answer: Answer, from start: Int, _ connection: CInt) {
    var offset = start
    var poll = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
    while Glibc.poll(&poll, 1, 20) == 0 {
      guard answer.drips, offset < answer.body.count else { continue }
      guard write([answer.body[offset]], connection) else { return }
      offset += 1
    }
  }

  private static func write(_ bytes: [UInt8], _ connection: CInt) -> Bool {
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(
          connection, buffer.baseAddress.map { $0 + offset }, buffer.count - offset,
          Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      offset += count
    }
    return true
  }
}
