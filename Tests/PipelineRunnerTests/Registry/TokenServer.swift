import FoundationEssentials

@testable import PipelineRunner

/// A token server, and the hook of a registry that asks for its tokens.
final class TokenServer: Sendable {
  let server: LoopbackServer

  /// `accepts` looks at a request's Authorization header; a token names its scopes.
  init(accepts: @escaping @Sendable (String?) -> Bool = { _ in true }) throws {
    server = try LoopbackServer { request in
      guard accepts(request.headers["authorization"]) else { return .init(status: 401) }
      let form = String(decoding: request.body, as: UTF8.self)
      let scopes =
        request.method == "POST"
        ? [form.split(separator: "&").first { $0.hasPrefix("scope=") }.map(String.init) ?? ""]
        : request.query("scope")
      let token = Data(scopes.joined(separator: " ").utf8).base64EncodedString()
      return .init(body: Array(#"{"token":"\#(token)","expires_in":300}"#.utf8))
    }
  }

  var realm: String { "http://\(server.host)/token" }

  /// Refuses requests that carry no token for what they do.
  var hook: FakeRegistry.Hook {
    let realm = realm
    return { request, _ in
      let isWriting = !["GET", "HEAD"].contains(request.method)
      let header = request.headers["authorization"] ?? ""
      let token = header.hasPrefix("Bearer ") ? String(header.dropFirst("Bearer ".count)) : ""
      let scopes = Data(base64Encoded: token).map { String(decoding: $0, as: UTF8.self) } ?? ""
      let repository = request.path.split(separator: "/").dropFirst().prefix {
        $0 != "manifests" && $0 != "blobs"
      }.joined(separator: "/")
      let wanted = "repository:\(repository):pull\(isWriting ? ",push" : "")"
      if scopes.contains(wanted) { return nil }
      return .init(
        status: 401,
        headers: [
          ("WWW-Authenticate", #"Bearer realm="\#(realm)",service="fake",scope="\#(wanted)""#)
        ])
    }
  }
}
