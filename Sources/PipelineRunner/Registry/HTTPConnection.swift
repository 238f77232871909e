import CCurl
import Glibc
import SystemPackage

/// One transfer at a time, pulled by its reader, over connections that stay open for the next one.
///
/// libcurl and not FoundationNetworking: on Linux the latter takes authorities of certificates from
/// one variable for the whole process, has no client certificates, and hands bytes to a delegate
/// that can hardly slow the sender down. Here nothing is read from the socket until somebody wants
/// it, redirects are followed by hand, and no callback runs on a foreign thread.
///
/// A class because the C handles have identity. Unchecked: an ``HTTPExchange`` is its only user from
/// the moment the pool hands it out until it is given back, and an exchange stays on one thread.
final class HTTPConnection: @unchecked Sendable {
  private let easy: UnsafeMutableRawPointer
  private let multi: UnsafeMutableRawPointer
  private let buffer: UnsafeMutableRawBufferPointer
  private var readable = 0..<0
  private var isPaused = false
  private var isActive = false
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let failureBuffer = UnsafeMutablePointer<CChar>.allocate(
    capacity: Int(CURL_ERROR_SIZE) + 1)

  private var lines: [String] = []
  private var response: HTTPResponse?
  private var result: CURLcode?
  private let patience: TransferPatience
  /// How long somebody has waited since the last byte.
  private var silence = Duration.zero
  /// What came of the body while somebody waited, and how long that was.
  private var pace: (bytes: Int, time: Duration) = (0, .zero)
  /// Whether the server has to do more than to look something up.
  private var changesSomething = false
  private var source = HTTPRequest.Body.none
  private var sourceFile: CInt = -1
  private var sourceOffset: Int64 = 0

  private static let bufferSize = 1 << 20
  private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init(patience: TransferPatience) throws(TransferError) {
    guard Self.isReady, let easy = curl_easy_init(), let multi = curl_multi_init() else {
      throw TransferError(kind: .other, reason: "libcurl cannot be started")
    }
    self.easy = easy
    self.multi = multi
    self.patience = patience
    buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
  }

  deinit {
    finish()
    curl_easy_cleanup(easy)
    curl_multi_cleanup(multi)
    buffer.deallocate()
    failureBuffer.deallocate()
  }

  // MARK: - Requests

  /// Sends a request and waits for the head of the answer; the body follows by ``read(into:)``.
  ///
  /// - Throws: a ``TransferError``, or what reading the body's file gave.
  func send(_ request: HTTPRequest, trust: TrustSettings) throws -> HTTPResponse {
    finish()
    lines = []
    response = nil
    result = nil
    readable = 0..<0
    isPaused = false
    failureBuffer.pointee = 0
    silence = .zero
    pace = (0, .zero)
    changesSomething = request.method != "GET" && request.method != "HEAD"
    try configure(request, trust)
    isActive = true
    curl_multi_add_handle(multi, easy)
    while true {
      if let response { return response }
      if let result {
        throw failure(result)
      }
      try step()
    }
  }

  private func configure(_ request: HTTPRequest, _ trust: TrustSettings) throws {
    let this = Unmanaged.passUnretained(self).toOpaque()
    curl_easy_reset(easy)
    ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, failureBuffer)
    ccurl_set_string(easy, CURLOPT_URL, request.address.text)
    ccurl_set_long(easy, CURLOPT_PATH_AS_IS, 1)
    ccurl_allow_web_only(easy)
    ccurl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    ccurl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    ccurl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, 15_000)
    ccurl_set_long(easy, CURLOPT_BUFFERSIZE, 256 << 10)
    ccurl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
    // A proxy named in the environment is for the network, as in Go's client.
    if request.address.origin.isLoopback { ccurl_set_string(easy, CURLOPT_NOPROXY, "*") }
    ccurl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    ccurl_set_string(easy, CURLOPT_USERAGENT, "pipeline")
    trust.apply(to: easy)

    ccurl_set_transfer(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let bytes, let connection = HTTPConnection.from(context) else { return 0 }
      return connection.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    ccurl_set_pointer(easy, CURLOPT_HEADERDATA, this)
    ccurl_set_transfer(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let bytes, let connection = HTTPConnection.from(context) else { return 0 }
      return connection.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }
    ccurl_set_pointer(easy, CURLOPT_WRITEDATA, this)
    try configureBody(request, this)

    var headers = request.headers
    // No server asked whether it wants the body: those that refuse do so before one is sent.
    headers.append(("Expect", ""))
    for (name, value) in headers {
      headerList = curl_slist_append(headerList, "\(name):\(value.isEmpty ? "" : " \(value)")")
    }
    ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headerList)
  }

  private func configureBody(_ request: HTTPRequest, _ this: UnsafeMutableRawPointer) throws {
    source = request.body
    sourceOffset = 0
    let count: Int64
    switch request.body {
    case .none:
      if request.method == "HEAD" {
        ccurl_set_long(easy, CURLOPT_NOBODY, 1)
      } else if request.method != "GET" {
        ccurl_set_long(easy, CURLOPT_POST, 1)
        ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
        ccurl_set_string(easy, CURLOPT_POSTFIELDS, "")
        ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        headerList = curl_slist_append(headerList, "Content-Type:")
      }
      return
    case .bytes(let bytes): count = Int64(bytes.count)
    case .file(let path, _, let size):
      sourceFile = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
      guard sourceFile >= 0 else { throw SystemError("open", path: path.bytes) }
      count = size
    }
    ccurl_set_long(easy, CURLOPT_UPLOAD, 1)
    ccurl_set_size(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(count))
    ccurl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
    ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
    ccurl_set_transfer(easy, CURLOPT_READFUNCTION) { bytes, size, count, context in
      guard let bytes, let connection = HTTPConnection.from(context) else { return CCURL_ABORT }
      return connection.provide(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }
    ccurl_set_pointer(easy, CURLOPT_READDATA, this)
    ccurl_set_seek(easy) { context, offset, origin in
      guard let connection = HTTPConnection.from(context), origin == SEEK_SET else {
        return CInt(CURL_SEEKFUNC_CANTSEEK)
      }
      connection.sourceOffset = Int64(offset)
      return CInt(CURL_SEEKFUNC_OK)
    }
    ccurl_set_pointer(easy, CURLOPT_SEEKDATA, this)
  }

  // MARK: - Body

  /// Fills a part of the buffer, waiting until there is something; 0 at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    while readable.isEmpty {
      if let result {
        guard result == CURLE_OK else { throw failure(result) }
        return 0
      }
      if isPaused {
        isPaused = false
        curl_easy_pause(easy, CURLPAUSE_CONT)
        continue
      }
      try step()
    }
    let count = min(target.count, readable.count)
    guard count > 0, let from = buffer.baseAddress, let to = target.baseAddress else { return 0 }
    memcpy(to, from + readable.lowerBound, count)
    readable = (readable.lowerBound + count)..<readable.upperBound
    if readable.isEmpty { readable = 0..<0 }
    return count
  }

  /// Whether the answer was read to its end, so that the connection serves again.
  var isComplete: Bool { result != nil && readable.isEmpty }

  /// Ends the transfer, closing the connection where its answer was not read to the end.
  func finish() {
    if isActive { curl_multi_remove_handle(multi, easy) }
    isActive = false
    curl_slist_free_all(headerList)
    headerList = nil
    if sourceFile >= 0 { close(sourceFile) }
    sourceFile = -1
    source = .none
  }

  /// Lets libcurl work, and waits a little where there is nothing to do.
  private func step() throws {
    try Cancellation.check()
    var running: CInt = 0
    let before = readable
    let hadResponse = response != nil
    let start = ContinuousClock.now
    defer { pace.time += .now - start }
    Self.withoutPipeSignal { curl_multi_perform(multi, &running) }
    let code = ccurl_result(multi)
    if code >= 0 { result = CURLcode(UInt32(code)) }
    if result != nil || readable != before || (response != nil) != hadResponse { return }
    silence += .now - start
    let pollStart = ContinuousClock.now
    curl_multi_poll(multi, nil, 0, 200, nil)
    silence += .now - pollStart
    try checkPace()
  }

  /// Ends a transfer that stands still, or that a server keeps alive with a byte now and then.
  private func checkPace() throws(TransferError) {
    let limit = changesSomething && response == nil ? patience.answer : patience.silence
    if silence > limit {
      throw TransferError(
        kind: .interrupted,
        reason: "nothing arrived for \(Int(TransferPatience.seconds(limit).rounded())) seconds")
    }
    guard response != nil, pace.time > patience.silence else { return }
    let seconds = TransferPatience.seconds(pace.time)
    if Double(pace.bytes) < patience.slowest * seconds {
      throw TransferError(
        kind: .interrupted,
        reason: "only \(pace.bytes) bytes arrived in \(Int(seconds.rounded())) seconds")
    }
    pace = (0, .zero)
  }

  /// OpenSSL writes to sockets that may be closed; the signal must not end the process, and its
  /// handling is not changed for steps that are started meanwhile.
  ///
  /// The sets are not made by an initializer, of which the compiler cannot tell whose module it is.
  private static func withoutPipeSignal(_ body: () -> Void) {
    let sets = UnsafeMutablePointer<sigset_t>.allocate(capacity: 3)
    defer { sets.deallocate() }
    let (signals, old, pending) = (sets, sets + 1, sets + 2)
    sigemptyset(signals)
    sigaddset(signals, SIGPIPE)
    sigpending(pending)
    let wasPending = sigismember(pending, SIGPIPE) == 1
    pthread_sigmask(SIG_BLOCK, signals, old)
    body()
    if !wasPending {
      var now = timespec()
      while sigtimedwait(signals, nil, &now) == -1 && errno == EINTR {}
    }
    pthread_sigmask(SIG_SETMASK, old, nil)
  }

  // MARK: - Callbacks

  private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPConnection? {
    context.map { Unmanaged<HTTPConnection>.fromOpaque($0).takeUnretainedValue() }
  }

  private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    silence = .zero
    let line = String(decoding: bytes, as: UTF8.self).trimmedLine
    if line.hasPrefix("HTTP/") {
      lines = [line]
    } else if !line.isEmpty {
      lines.append(line)
    } else if let head = Self.parse(lines), head.status >= 200 {
      response = head
      pace = (0, .zero)
    }
    return bytes.count
  }

  private static func parse(_ lines: [String]) -> HTTPResponse? {
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count > 1, let status = Int(words[1]) else { return nil }
    var response = HTTPResponse(status: status)
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      response.headers.append((line[..<colon].lowercased(), String(value)))
    }
    return response
  }

  private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
    silence = .zero
    pace.bytes += bytes.count
    if readable.isEmpty { readable = 0..<0 }
    guard let base = buffer.baseAddress, let from = bytes.baseAddress else { return 0 }
    if buffer.count - readable.upperBound < bytes.count {
      guard buffer.count - readable.count >= bytes.count else {
        isPaused = true
        return CCURL_PAUSE
      }
      memmove(base, base + readable.lowerBound, readable.count)
      readable = 0..<readable.count
    }
    memcpy(base + readable.upperBound, from, bytes.count)
    readable = readable.lowerBound..<(readable.upperBound + bytes.count)
    return bytes.count
  }

  private func provide(_ target: UnsafeMutableRawBufferPointer) -> Int {
    silence = .zero
    switch source {
    case .none: return 0
    case .bytes(let bytes):
      let count = min(target.count, bytes.count - Int(sourceOffset))
      bytes.withUnsafeBytes { all in
        target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: all[Int(sourceOffset)...].prefix(count)))
      }
      sourceOffset += Int64(count)
      return count
    case .file(_, let offset, let size):
      let count = min(target.count, Int(size - sourceOffset))
      let got = pread(sourceFile, target.baseAddress, count, off_t(offset + sourceOffset))
      guard got > 0 || count == 0 else { return CCURL_ABORT }
      sourceOffset += Int64(got)
      return got
    }
  }

  private func failure(_ code: CURLcode) -> TransferError {
    let own = String(cString: failureBuffer)
    let reason = own.isEmpty ? String(cString: curl_easy_strerror(code)) : own
    let kind: TransferError.Kind =
      switch code {
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved
      case CURLE_COULDNT_CONNECT: .refused
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_PEER_FAILED_VERIFICATION: .untrusted
      case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
        .handshake
      case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING,
        CURLE_WEIRD_SERVER_REPLY, CURLE_SEND_FAIL_REWIND:
        // A server that wants a client certificate says so by ending the connection.
        reason.contains("alert") ? .handshake : .interrupted
      default: .other
      }
    return TransferError(kind: kind, reason: reason)
  }
}
