import FoundationEssentials
import PipelineDSL

/// One server that speaks the distribution protocol: a registry, or a mirror of one.
final class RegistryEndpoint: Sendable {
  /// What the user knows it as.
  let name: String
  let base: WebAddress
  private let client: HTTPClient
  private let options: RegistryOptions
  var retries: RetryPolicy { options.retries }
  var chunkSize: Int64 { options.chunkSize }
  private let authorizer: RegistryAuthorizer
  /// Whether it is there to try a login that is not stored yet.
  private let checksLogin: Bool

  init(
    name: String, base: WebAddress, client: HTTPClient, options: RegistryOptions,
    login: RegistryCredential? = nil
  ) {
    self.name = name
    self.base = base
    self.client = client
    self.options = options
    checksLogin = login != nil
    authorizer = RegistryAuthorizer(
      registry: name, origin: base.origin, options: options, client: client, login: login)
  }

  /// A request in the protocol's terms.
  struct Request {
    var method = "GET"
    /// An address of the server's own, as a `Location` gave it, or a path below `/v2/`.
    var target: Target
    /// Nil asks for nothing but to be let in.
    var scope: RegistryScope?
    var headers: [(name: String, value: String)] = []
    var body = HTTPRequest.Body.none
    /// Added to a path's address.
    var query: [(name: String, value: String)] = []
    /// Whether it may be sent again after a break.
    ///
    /// A part of an upload may not: the server has to be asked what arrived. Failed transfers and
    /// passing outages are then the caller's.
    var isRepeatable = true
    /// What it is about, for errors: `'localhost:5000/app:1'`.
    var subject: String

    enum Target {
      case path(String)
      case address(WebAddress)
    }
  }

  /// Sends a request: answers a challenge, follows redirects of reads, tries again what may pass.
  ///
  /// - Returns: the last answer, whatever its status; 401 only becomes an error.
  /// - Throws: a diagnostic that names the registry, the subject and what to do.
  func send(_ request: Request) throws -> HTTPExchange {
    var address = try self.address(request)
    var authorization = authorizer.known(for: request.scope)
    var wasChallenged = false
    var redirects = 0
    var attempt = 0
    while true {
      let isOwn = address.origin == base.origin
      var message = HTTPRequest(
        method: request.method, address: address, headers: request.headers, body: request.body)
      // A login and a token are for their registry: no other origin sees them (threat 27).
      if isOwn, let authorization {
        message.headers.append(("Authorization", authorization.header))
      }
      let exchange: HTTPExchange
      do {
        exchange = try client.send(message)
      } catch let error as TransferError {
        guard request.isRepeatable else { throw error }
        guard error.isTransient, attempt + 1 < options.retries.attempts,
          let delay = options.retries.delay(after: attempt, response: nil)
        else { throw unreachable(error, address.origin, request.subject) }
        attempt += 1
        try options.retries.wait(delay)
        wasChallenged = false
        continue
      }
      let response = exchange.response
      switch response.status {
      case 401 where isOwn:
        let challenge = AuthenticationChallenge.preferred(
          among: response.values("www-authenticate"))
        exchange.discard()
        guard !wasChallenged, let challenge,
          let answer = try authorizer.answer(
            challenge, for: request.scope, refused: authorization)
        else { throw denied(request.subject, hasLogin: authorization?.hasLogin ?? false) }
        wasChallenged = true
        authorization = answer
      case 301, 302, 303, 307, 308:
        guard request.method == "GET" || request.method == "HEAD" else { return exchange }
        exchange.discard()
        redirects += 1
        address = try redirect(from: address, response, redirects, request.subject)
      case let status where RetryPolicy.transientStatuses.contains(status):
        guard request.isRepeatable, attempt + 1 < options.retries.attempts,
          let delay = options.retries.delay(after: attempt, response: response)
        else { return exchange }
        exchange.discard()
        attempt += 1
        try options.retries.wait(delay)
        // A token may have expired meanwhile.
        wasChallenged = false
      default:
        return exchange
      }
    }
  }

  /// Whether the server speaks the protocol and lets us in.
  func ping() throws {
    let exchange = try send(Request(target: .path(""), subject: "the version check"))
    guard exchange.response.status == 200 else {
      throw refusal(exchange, "the registry '\(name)' does not speak the registry protocol")
    }
    exchange.discard()
  }

  private func address(_ request: Request) throws(Diagnostic) -> WebAddress {
    switch request.target {
    case .address(let address): return address
    case .path(let path):
      var address = base.appending(path: "/v2/\(path)")
      for (name, value) in request.query { address = address?.appendingQuery(name, value) }
      guard let address else {
        throw Diagnostic("\(request.subject) makes no valid address at the registry '\(name)'")
      }
      return address
    }
  }

  /// Where a `Location` leads.
  ///
  /// - Throws: where it is missing, or leads from an encrypted connection to an open one.
  func location(_ response: HTTPResponse, from address: WebAddress?, _ subject: String)
    throws(Diagnostic) -> WebAddress
  {
    let start = address ?? base
    guard let text = response["location"], let target = start.resolving(text) else {
      throw Diagnostic("the registry '\(name)' redirects \(subject) to no valid address")
    }
    guard target.origin.isSecure || !start.origin.isSecure else {
      throw Diagnostic(
        "the registry '\(name)' redirects \(subject) from https to '\(target.origin)'",
        help:
          "the registry stands behind a proxy it does not know of: let it send relative addresses, or set X-Forwarded-Proto"
      )
    }
    guard
      target.origin.isSecure || options.allowsPlain(target.origin) || target.origin == base.origin
    else {
      throw Diagnostic(
        "the registry '\(name)' redirects \(subject) to '\(target.origin)', which is not encrypted",
        help: "allow it with --plain-http \(target.origin.authority)")
    }
    return target
  }

  private func redirect(
    from address: WebAddress, _ response: HTTPResponse, _ count: Int, _ subject: String
  ) throws(Diagnostic) -> WebAddress {
    guard count <= 10 else {
      throw Diagnostic("the registry '\(name)' redirects \(subject) in a circle")
    }
    return try location(response, from: address, subject)
  }

  // MARK: - Errors

  private struct Refusals: Decodable {
    struct Item: Decodable {
      var code: String?
      var message: String?
    }
    var errors: [Item]
  }

  /// An answer of an unexpected status as a diagnostic, with the server's own words.
  func refusal(_ exchange: HTTPExchange, _ what: String, help: String? = nil) -> Diagnostic {
    let status = exchange.response.status
    var message = "\(what): it answered with status \(status)"
    if let body = try? exchange.body(limit: 64 << 10),
      let refusals = try? JSONDecoder().decode(Refusals.self, from: Data(body)),
      let first = refusals.errors.first
    {
      let words = [first.code, first.message].compactMap(\.self).map(Self.printable)
      if !words.isEmpty { message += " (\(words.joined(separator: ": ")))" }
    }
    exchange.finish()
    return Diagnostic(message, help: help ?? advice(exchange.response))
  }

  private func advice(_ response: HTTPResponse) -> String? {
    switch response.status {
    case 400 where !base.origin.isSecure:
      "if it speaks TLS, take it out of --plain-http and of docker's insecure-registries; one on loopback wants its authority in /etc/docker/certs.d/\(base.origin.authority)/ca.crt"
    case 403: "log in with 'pipeline login \(name)' as somebody who may do that"
    case 429:
      response["retry-after"].map {
        "wait \(Self.printable($0)) seconds, or log in: registries limit guests"
      }
        ?? "wait, or log in: registries limit guests"
    default: nil
    }
  }

  /// A server's words, short and without control characters.
  static func printable(_ text: String) -> String {
    String(
      text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(200).map {
        Character($0)
      })
  }

  private func denied(_ subject: String, hasLogin: Bool) -> Diagnostic {
    if checksLogin {
      return Diagnostic(
        "the registry '\(name)' does not accept this login",
        help: "check the user's name and the password")
    }
    return Diagnostic(
      hasLogin
        ? "the registry '\(name)' does not let this login reach \(subject)"
        : "the registry '\(name)' wants a login for \(subject)",
      help: "log in with 'pipeline login \(name)'"
        + (hasLogin ? " as somebody who may do that" : ""))
  }

  /// A failed transfer as a diagnostic.
  func unreachable(_ error: TransferError, _ origin: HTTPOrigin, _ subject: String) -> Diagnostic {
    let server =
      origin == base.origin ? "the registry '\(name)'" : "'\(origin)', where '\(name)' sends us,"
    switch error.kind {
    case .nameNotResolved:
      return Diagnostic(
        "\(server) cannot be reached for \(subject): the name '\(origin.host)' cannot be resolved",
        help: Self.networkAdvice)
    case .refused, .timedOut:
      return Diagnostic(
        "\(server) cannot be reached for \(subject): \(error)",
        help: Self.connectionAdvice)
    case .untrusted:
      return Diagnostic(
        "\(server) has a certificate that is not trusted: \(error)",
        help: "put its authority into /etc/docker/certs.d/\(origin.authority)/ca.crt")
    case .handshake:
      return Diagnostic(
        "\(server) and this program agree on no encryption: \(error)",
        help:
          "if it speaks plain HTTP, allow that with --plain-http \(origin.authority); if it wants a client certificate, put it into /etc/docker/certs.d/\(origin.authority)/"
      )
    case .interrupted:
      return Diagnostic(
        "the connection to \(server) broke \(options.retries.attempts) times for \(subject): \(error)",
        help: "try again")
    case .other:
      return Diagnostic("the request to \(server) failed for \(subject): \(error)")
    }
  }

  /// Whether a registry was out of reach; a base image can also come from elsewhere then.
  static func isUnreachable(_ error: Diagnostic) -> Bool {
    error.help == networkAdvice || error.help == connectionAdvice
  }

  private static let networkAdvice = "check the name and the network"
  private static let connectionAdvice = "check the name, the network, and whether the registry runs"
}
