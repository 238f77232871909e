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

/// How long a transfer may stand still, and how slowly it may go, before it counts as broken.
///
/// Only the time in which somebody waits for the server counts: a reader that is busy elsewhere
/// breaks nothing.
struct TransferPatience: Hashable, Sendable {
  /// Without a byte, and the span that a speed is taken over.
  var silence = Duration.seconds(60)
  /// Without a byte where something is sent or changed: a registry that moves a large layer to its
  /// storage says nothing meanwhile.
  var answer = Duration.seconds(300)
  /// Bytes in a second of a body that arrives.
  var slowest = 1000.0

  static func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
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
