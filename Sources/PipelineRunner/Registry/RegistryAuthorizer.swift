import FoundationEssentials
import PipelineDSL
import Synchronization

/// Answers a registry's challenges, and keeps the tokens it got for the next requests.
///
/// A login goes to its own registry, and to the token server which that registry names over a
/// connection that nobody can listen to (threat 27).
final class RegistryAuthorizer: Sendable {
  /// The header of a request, and whose it is.
  struct Authorization: Sendable {
    var header: String
    /// False for a guest's token.
    var hasLogin: Bool
    fileprivate var expires: ContinuousClock.Instant?
  }

  /// The registry as the user wrote it: what logins are kept under.
  private let registry: String
  private let origin: HTTPOrigin
  private let options: RegistryOptions
  private let client: HTTPClient
  /// A login given on the command line, which stands above those in files.
  private let given: RegistryCredential?
  private let tokens = Mutex<[RegistryScope?: Authorization]>([:])
  /// Held while a challenge is answered: of requests refused at once, one fetches the token.
  private let answering = Mutex(())

  init(
    registry: String, origin: HTTPOrigin, options: RegistryOptions, client: HTTPClient,
    login: RegistryCredential?
  ) {
    self.registry = registry
    self.origin = origin
    self.options = options
    self.client = client
    given = login
  }

  /// What to send without being asked: what served for this scope before.
  func known(for scope: RegistryScope?) -> Authorization? {
    tokens.withLock { tokens in
      guard let token = tokens[scope] else { return nil }
      if let expires = token.expires, expires <= .now { return nil }
      return token
    }
  }

  /// What answers a challenge; nil where nothing is known that could.
  ///
  /// `refused` is what the challenged request was sent with.
  ///
  /// - Throws: a diagnostic; no text of it holds a secret.
  func answer(
    _ challenge: AuthenticationChallenge, for scope: RegistryScope?, refused: Authorization?
  ) throws -> Authorization? {
    try answering.withLock { _ in
      if let known = known(for: scope), known.header != refused?.header { return known }
      tokens.withLock { _ = $0.removeValue(forKey: scope) }
      let token = try make(challenge, scope)
      if let token { tokens.withLock { $0[scope] = token } }
      return token
    }
  }

  private func make(
    _ challenge: AuthenticationChallenge, _ scope: RegistryScope?
  ) throws -> Authorization? {
    let login =
      try given
      ?? options.credentials.credential(
        for: registry, repository: scope?.repository ?? "")
    switch (challenge, login) {
    case (_, .bearer(let text)):
      return Authorization(header: try bearer(text), hasLogin: true)
    case (.basic, .password(let user, let password)):
      return Authorization(header: Self.basic(user, password), hasLogin: true)
    case (.basic, _): return nil
    case (.bearer(let realm, let service, let asked), _):
      let address = try self.realm(realm)
      return try fetch(
        from: address, service: service, scopes: Self.scopes(scope?.texts ?? [], asked), login)
    }
  }

  private static func basic(_ user: String, _ password: String) -> String {
    "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
  }

  /// A token as a header; one with line ends in it could smuggle in headers of its own.
  private func bearer(_ token: String) throws(Diagnostic) -> String {
    guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Diagnostic("the token for the registry '\(registry)' has characters no token has")
    }
    return "Bearer \(token)"
  }

  /// The token server's address, checked: it will see the login.
  private func realm(_ text: String) throws(Diagnostic) -> WebAddress {
    guard let address = WebAddress(text) else {
      throw Diagnostic("the registry '\(registry)' names a token server by no valid address")
    }
    if address.origin.isSecure || address.origin == origin { return address }
    // Its own machine may name a server on that machine, nobody else may.
    if address.origin.isLoopback && origin.isLoopback { return address }
    if options.plainHosts.contains(address.origin.authority) { return address }
    throw Diagnostic(
      "the registry '\(registry)' wants a login sent to '\(address.origin)' without encryption",
      help: "ask who runs the registry to give an https token address")
  }

  /// The scopes to ask for: our own, and what the challenge names beside them.
  ///
  /// A challenge names what its request lacks, so most of it is in our own already; asked for once
  /// more it would give the token server two answers to find.
  static func scopes(_ own: [String], _ asked: String?) -> [String] {
    func parts(_ scope: Substring) -> (name: Substring, actions: Set<Substring>) {
      guard let colon = scope.lastIndex(of: ":") else { return (scope, []) }
      return (scope[..<colon], Set(scope[scope.index(after: colon)...].split(separator: ",")))
    }
    let known = own.map { parts($0[...]) }
    return own
      + (asked ?? "").split(separator: " ").filter { scope in
        let (name, actions) = parts(scope)
        return !known.contains { $0.name == name && $0.actions.isSuperset(of: actions) }
      }.map(String.init)
  }

  // MARK: - Token servers

  private struct Answer: Decodable {
    var token: String?
    var accessToken: String?
    var expiresIn: Double?

    enum CodingKeys: String, CodingKey {
      case token
      case accessToken = "access_token"
      case expiresIn = "expires_in"
    }
  }

  private func fetch(
    from realm: WebAddress, service: String?, scopes: [String], _ login: RegistryCredential?
  ) throws -> Authorization {
    var request = HTTPRequest(address: realm)
    if case .identity(let token) = login {
      let fields = [
        ("grant_type", "refresh_token"), ("service", service ?? ""), ("client_id", "pipeline"),
        ("scope", scopes.joined(separator: " ")), ("refresh_token", token),
      ]
      request.method = "POST"
      request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
      request.body = .bytes(Array(Self.form(fields).utf8))
    } else {
      var address = realm
      var fields = service.map { [("service", $0)] } ?? []
      fields += scopes.map { ("scope", $0) }
      if case .password(let user, let password) = login {
        fields.append(("account", user))
        request.headers = [("Authorization", Self.basic(user, password))]
      }
      for (name, value) in fields { address = address.appendingQuery(name, value) ?? address }
      request.address = address
    }
    let exchange = try send(request)
    let status = exchange.response.status
    // A redirect is not followed: it would take the login elsewhere.
    guard status == 200 else {
      exchange.discard()
      throw denied(status, realm, login)
    }
    guard let body = try exchange.body(limit: 1 << 20),
      let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)),
      let text = answer.token ?? answer.accessToken
    else {
      throw Diagnostic("the token server '\(realm.origin)' answered without a token")
    }
    return Authorization(
      header: try bearer(text), hasLogin: login != nil,
      expires: .now + .seconds(Self.life(answer.expiresIn)))
  }

  /// How long a token serves: a minute where nothing is said, and less than was said, as the way
  /// takes time too.
  static func life(_ said: Double?) -> Double {
    let seconds = min(max(said ?? 60, 0), 86_400)
    return max(seconds - 10, seconds / 2)
  }

  private func send(_ request: HTTPRequest) throws -> HTTPExchange {
    var attempt = 0
    while true {
      do {
        let exchange = try client.send(request)
        guard RetryPolicy.transientStatuses.contains(exchange.response.status),
          attempt + 1 < options.retries.attempts,
          let delay = options.retries.delay(after: attempt, response: exchange.response)
        else { return exchange }
        exchange.discard()
        try options.retries.wait(delay)
      } catch let error as TransferError {
        guard error.isTransient, attempt + 1 < options.retries.attempts,
          let delay = options.retries.delay(after: attempt, response: nil)
        else {
          throw Diagnostic(
            "the token server '\(request.address.origin)' of the registry '\(registry)' cannot be reached: \(error)"
          )
        }
        try options.retries.wait(delay)
      }
      attempt += 1
    }
  }

  private func denied(
    _ status: Int, _ realm: WebAddress, _ login: RegistryCredential?
  ) -> Diagnostic {
    guard status == 401 || status == 403 else {
      return Diagnostic("the token server '\(realm.origin)' answered with status \(status)")
    }
    return switch login {
    case .password(let user, _) where given != nil:
      Diagnostic(
        "the registry '\(registry)' does not accept the login of '\(user)'",
        help: "check the user's name and the password")
    case .password(let user, _):
      Diagnostic(
        "the registry '\(registry)' does not accept the login of '\(user)'",
        help: "log in again with 'pipeline login \(registry)'")
    case nil:
      Diagnostic(
        "the registry '\(registry)' wants a login",
        help: "log in with 'pipeline login \(registry)'")
    default:
      Diagnostic(
        "the registry '\(registry)' does not accept the stored login",
        help: "log in again with 'pipeline login \(registry)'")
    }
  }

  private static func form(_ fields: [(String, String)]) -> String {
    fields.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
  }

  private static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        result += byte < 16 ? "%0" : "%"
        result += String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
