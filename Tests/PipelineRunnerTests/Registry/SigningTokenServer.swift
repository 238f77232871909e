import FoundationEssentials
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

@testable import PipelineRunner

/// A token server as docker-registry wants one: tokens are signed (RFC 7519, RS256), name what
/// their holder may do, and end.
///
/// The users are `jo`, who may do everything below `team/`, and `eve`, who may read `team/shared`.
/// Everybody may read `public/`. A password is the user's name twice; so is an identity token.
final class SigningTokenServer: Sendable {
  let server: LoopbackServer
  private let directory: TemporaryDirectory
  private let settings: Settings

  /// What is changed while it runs.
  final class Settings: Sendable {
    /// For how long the registry takes a token, and how long it is said to.
    let life = Mutex<(real: Int, said: Int)>((300, 300))
  }

  static let service = "test registry"
  /// How long after its end docker-registry still takes a token.
  private static let leeway = 60

  init() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path
    _ = try TestAuthority.openssl(
      "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens -keyout key.pem -out cert.pem",
      in: path)
    let certificate = try TestAuthority.openssl(
      "x509 -in cert.pem -outform DER | openssl base64 -A", in: path)
    let settings = Settings()
    server = try LoopbackServer { request in
      guard let claim = Self.claim(request) else { return .init(status: 401) }
      let life = settings.life.withLock { $0 }
      guard
        let token = try? Self.sign(
          Self.access(claim.user, claim.scopes), certificate, path, life: life.real)
      else { return .init(status: 500) }
      return .init(
        headers: [("Content-Type", "application/json")],
        body: Array(#"{"token":"\#(token)","expires_in":\#(life.said)}"#.utf8))
    }
    self.directory = directory
    self.settings = settings
  }

  /// The registry's settings.
  var configuration: String {
    """
    auth:
      token:
        realm: http://\(server.host)/token
        service: \(Self.service)
        issuer: test-issuer
        rootcertbundle: \(directory.path)/cert.pem

    """
  }

  /// Makes tokens of a shorter life than they say, or the other way round.
  func give(seconds: Int, saying said: Int) {
    settings.life.withLock { $0 = (seconds, said) }
  }

  /// The scopes of each token so far.
  var scopes: [[String]] { server.requests.map { Self.scopes(of: $0) } }

  // MARK: - Requests

  /// Who asks for what; nil for a wrong login.
  private static func claim(
    _ request: LoopbackServer.Request
  ) -> (user: String?, scopes: [String])? {
    let scopes = scopes(of: request)
    if request.method == "POST" {
      guard let token = field("refresh_token", of: request), let user = user(token, token) else {
        return nil
      }
      return (user, scopes)
    }
    guard let header = request.headers["authorization"] else { return (nil, scopes) }
    guard header.hasPrefix("Basic "),
      let data = Data(base64Encoded: String(header.dropFirst("Basic ".count)))
    else { return nil }
    let parts = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let user = user(String(parts[0] + parts[0]), String(parts[1])) else {
      return nil
    }
    return (user, scopes)
  }

  private static func user(_ expected: String, _ given: String) -> String? {
    ["jo", "eve"].first { $0 + $0 == given && given == expected }
  }

  private static func scopes(of request: LoopbackServer.Request) -> [String] {
    request.method == "POST"
      ? (field("scope", of: request) ?? "").split(separator: " ").map(String.init)
      : request.query("scope")
  }

  /// A field of a form.
  private static func field(_ name: String, of request: LoopbackServer.Request) -> String? {
    var form = request
    form.target = "/?" + String(decoding: request.body, as: UTF8.self)
    return form.query(name).first?.split(separator: "%20").joined(separator: " ")
  }

  // MARK: - Tokens

  /// What of the scopes is granted, as claims.
  private static func access(_ user: String?, _ scopes: [String]) -> String {
    scopes.compactMap { scope -> String? in
      let parts = scope.split(separator: ":").map(String.init)
      guard parts.count == 3 else { return nil }
      let granted = parts[2].split(separator: ",").filter { action in
        switch user {
        case "jo" where parts[1].hasPrefix("team/"): true
        case "eve" where parts[1] == "team/shared": action == "pull"
        default: parts[1].hasPrefix("public/") && action == "pull"
        }
      }
      let actions = granted.map { #""\#($0)""# }.joined(separator: ",")
      return #"{"type":"repository","name":"\#(parts[1])","actions":[\#(actions)]}"#
    }.joined(separator: ",")
  }

  private static func sign(
    _ access: String, _ certificate: String, _ path: FilePath, life: Int
  ) throws -> String {
    let now = Int(time(nil))
    let header = #"{"typ":"JWT","alg":"RS256","x5c":["\#(certificate)"]}"#
    let claims =
      #"{"iss":"test-issuer","sub":"x","aud":"\#(service)","exp":\#(now + life - leeway),"#
      + #""nbf":\#(now - 600),"iat":\#(now - 600),"jti":"1","access":[\#(access)]}"#
    let text = encoded(Data(header.utf8)) + "." + encoded(Data(claims.utf8))
    let signature = try TestAuthority.openssl(
      "dgst -sha256 -sign key.pem | openssl base64 -A", in: path, input: Array(text.utf8))
    return text + "." + forAddresses(signature)
  }

  private static func encoded(_ data: Data) -> String {
    forAddresses(data.base64EncodedString())
  }

  /// Base 64 in the alphabet of addresses, without padding.
  private static func forAddresses(_ base64: String) -> String {
    String(
      base64.compactMap { character -> Character? in
        switch character {
        case "+": "-"
        case "/": "_"
        case "=", "\n": nil
        default: character
        }
      })
  }
}
