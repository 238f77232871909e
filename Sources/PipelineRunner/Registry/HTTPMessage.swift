import SystemPackage

/// What is asked of a server.
struct HTTPRequest: Sendable {
  var method = "GET"
  var address: WebAddress
  var headers: [(name: String, value: String)] = []
  var body = Body.none

  enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// A part of a file, read while it is sent.
    case file(FilePath, offset: Int64, count: Int64)
  }
}

/// The status line and headers of an answer.
struct HTTPResponse: Sendable {
  var status: Int
  /// Names in lower case, in the order of arrival.
  var headers: [(name: String, value: String)] = []

  subscript(name: String) -> String? {
    headers.first { $0.name == name }?.value
  }

  func values(_ name: String) -> [String] {
    headers.filter { $0.name == name }.map(\.value)
  }

  var contentLength: Int64? { self["content-length"].flatMap { Int64($0) } }

  /// The media type without its parameters.
  var contentType: String? {
    self["content-type"].map {
      $0.prefix { $0 != ";" }.lowercased().trimmedLine
    }
  }
}

/// Why there is no answer, or only a part of one.
struct TransferError: Error, Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case nameNotResolved
    case refused
    case timedOut
    /// The server's certificate is not trusted, or does not name the host.
    case untrusted
    /// The TLS handshake failed for another reason.
    case handshake
    /// The connection ended early or stood still.
    case interrupted
    case other
  }

  var kind: Kind
  /// libcurl's words.
  var reason: String

  /// Whether the same request may succeed a moment later.
  var isTransient: Bool { kind == .interrupted || kind == .timedOut }
}

extension TransferError: CustomStringConvertible {
  var description: String { reason }
}
