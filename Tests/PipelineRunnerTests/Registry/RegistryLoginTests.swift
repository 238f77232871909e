import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Threat 27: a login reaches its registry and nobody else.
@Suite struct RegistryLoginTests {
  private static let image = FakeImage.noise(50_000, seed: 21)
  private static let basic = "Basic \(Data("jo:secret".utf8).base64EncodedString())"

  private static func logins(_ host: String) -> String {
    #"{"auths":{"\#(host)":{"auth":"\#(Data("jo:secret".utf8).base64EncodedString())"}}}"#
  }

  private static func wantsBasic() -> FakeRegistry.Hook {
    { request, _ in
      request.headers["authorization"] == basic
        ? nil : .init(status: 401, headers: [("WWW-Authenticate", #"Basic realm="x""#)])
    }
  }

  private func image() throws -> FakeImage { try FakeImage(layers: [Self.image]) }

  @Test("a name and a password answer a basic challenge, and go along unasked afterwards")
  func basic() throws {
    let registry = try FakeRegistry(Self.wantsBasic())
    let image = try image()
    registry.add(image, tags: ["1"])
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let found = try fixture.resolve("\(registry.host)/app:1")
    #expect(try fixture.layers(of: found) == image.layers)
    #expect(registry.requests.count { $0.headers["authorization"] == nil } == 1)
  }

  @Test("a token is fetched with the login, used for its scope, and fetched once")
  func bearer() throws {
    let tokens = try TokenServer { $0 == Self.basic }
    let registry = try FakeRegistry(tokens.hook)
    let image = try image()
    registry.add(image, tags: ["1"])
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    #expect(
      try fixture.layers(of: fixture.resolve("\(registry.host)/team/app:1")) == image.layers)
    #expect(tokens.server.requests.count == 1)
    #expect(tokens.server.requests[0].query("scope") == ["repository:team/app:pull"])
    #expect(tokens.server.requests[0].query("service") == ["fake"])
    #expect(registry.requests.allSatisfy { $0.headers["authorization"] != Self.basic })
  }

  @Test("without a login a token server is asked as a guest")
  func anonymous() throws {
    let tokens = try TokenServer { $0 == nil }
    let registry = try FakeRegistry(tokens.hook)
    registry.add(try image(), tags: ["1"])
    let fixture = try RegistryFixture()
    #expect(throws: Never.self) { try fixture.resolve("\(registry.host)/app:1") }
  }

  @Test("an identity token is exchanged by POST")
  func identityToken() throws {
    let tokens = try TokenServer { $0 == nil }
    let registry = try FakeRegistry(tokens.hook)
    registry.add(try image(), tags: ["1"])
    let fixture = try RegistryFixture(
      logins: #"{"auths":{"\#(registry.host)":{"identitytoken":"long+lived"}}}"#)
    // The fake reads the scope as it is encoded, so its token does not fit; what was asked does.
    _ = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    let request = try #require(tokens.server.requests.first)
    #expect(request.method == "POST")
    #expect(
      String(decoding: request.body, as: UTF8.self)
        == "grant_type=refresh_token&service=fake&client_id=pipeline&scope=repository%3Aapp%3Apull&refresh_token=long%2Blived"
    )
  }

  @Test("a refused login, a missing one and an endless challenge end with what to do")
  func refusals() throws {
    let registry = try FakeRegistry(Self.wantsBasic())
    let guest = try RegistryFixture()
    #expect(
      guest.failure { _ = try guest.resolve("\(registry.host)/app:1") } == """
        the registry '\(registry.host)' wants a login for '\(registry.host)/app:1'
        help: log in with 'pipeline login \(registry.host)'
        """)
    let endless = try FakeRegistry { _, _ in
      .init(status: 401, headers: [("WWW-Authenticate", "Basic")])
    }
    let known = try RegistryFixture(logins: Self.logins(endless.host))
    #expect(
      known.failure { _ = try known.resolve("\(endless.host)/app:1") } == """
        the registry '\(endless.host)' does not let this login reach '\(endless.host)/app:1'
        help: log in with 'pipeline login \(endless.host)' as somebody who may do that
        """)
    #expect(endless.requests.count == 2)
    let tokens = try TokenServer { _ in false }
    let strict = try FakeRegistry(tokens.hook)
    let wrong = try RegistryFixture(logins: Self.logins(strict.host))
    #expect(
      wrong.failure { _ = try wrong.resolve("\(strict.host)/app:1") } == """
        the registry '\(strict.host)' does not accept the login of 'jo'
        help: log in again with 'pipeline login \(strict.host)'
        """)
  }

  @Test("a blob's redirect to another origin takes no login along")
  func redirect() throws {
    let storage = try LoopbackServer { _ in .init(body: Self.image) }
    let wants = Self.wantsBasic()
    let registry = try FakeRegistry { request, registry in
      if let refusal = wants(request, registry) { return refusal }
      guard request.path.contains("/blobs/\(SHA256Hasher.digest(of: Self.image))") else {
        return nil
      }
      return .init(
        status: 307, headers: [("Location", "http://\(storage.host)/x?signature=s")])
    }
    registry.add(try image(), tags: ["1"])
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let found = try fixture.resolve("\(registry.host)/app:1")
    #expect(try fixture.layers(of: found) == [Self.image])
    #expect(storage.requests.map(\.target) == ["/x?signature=s"])
    #expect(storage.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test("a challenge of another origin gets no answer")
  func foreignChallenge() throws {
    let storage = try LoopbackServer { _ in
      .init(status: 401, headers: [("WWW-Authenticate", "Basic")])
    }
    let wants = Self.wantsBasic()
    let registry = try FakeRegistry { request, registry in
      if let refusal = wants(request, registry) { return refusal }
      return request.method == "GET" && request.path.contains("/manifests/")
        ? .init(status: 302, headers: [("Location", "http://\(storage.host)/x")]) : nil
    }
    registry.add(try image(), tags: ["1"])
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(
      text
        == "the registry '\(registry.host)' does not give '\(registry.host)/app:1': it answered with status 401"
    )
    #expect(storage.requests.count == 1)
    #expect(storage.requests[0].headers["authorization"] == nil)
  }

  @Test("a circle of redirects ends")
  func circle() throws {
    let registry = try FakeRegistry { request, _ in
      request.method == "GET" ? .init(status: 302, headers: [("Location", "/v2/again")]) : nil
    }
    registry.add(try image(), tags: ["1"])
    let fixture = try RegistryFixture()
    #expect(
      fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
        == "the registry '\(registry.host)' redirects '\(registry.host)/app:1' in a circle")
    #expect(registry.requests.count < 15)
  }

  @Test(
    "a token server without encryption on another machine gets no login",
    arguments: ["http://192.0.2.1/token", "http://localhost.example.com/token", "ftp://x/token"])
  func openRealm(realm: String) throws {
    let registry = try FakeRegistry { _, _ in
      .init(status: 401, headers: [("WWW-Authenticate", #"Bearer realm="\#(realm)""#)])
    }
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    let origin = realm.split(separator: "/token")[0]
    #expect(
      text
        == (realm.hasPrefix("ftp")
          ? "the registry '\(registry.host)' names a token server by no valid address"
          : """
          the registry '\(registry.host)' wants a login sent to '\(origin)' without encryption
          help: ask who runs the registry to give an https token address
          """))
  }

  @Test("a redirect of the token server is not followed with the login")
  func redirectedRealm() throws {
    let other = try LoopbackServer { _ in .init(body: Array(#"{"token":"x"}"#.utf8)) }
    let realm = try LoopbackServer { _ in
      .init(status: 307, headers: [("Location", "http://\(other.host)/")])
    }
    let registry = try FakeRegistry { _, _ in
      .init(
        status: 401,
        headers: [("WWW-Authenticate", #"Bearer realm="http://\#(realm.host)/""#)])
    }
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(text == "the token server 'http://\(realm.host)' answered with status 307")
    #expect(other.requests.isEmpty)
  }

  @Test("a token that could smuggle in a header is refused")
  func smuggling() throws {
    let tokens = try LoopbackServer { _ in
      .init(body: Array(#"{"token":"x\r\nX-Evil: 1"}"#.utf8))
    }
    let registry = try FakeRegistry { _, _ in
      .init(
        status: 401,
        headers: [("WWW-Authenticate", #"Bearer realm="http://\#(tokens.host)/""#)])
    }
    let fixture = try RegistryFixture()
    #expect(
      fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
        == "the token for the registry '\(registry.host)' has characters no token has")
  }

  @Test("no message shows a secret")
  func secrecy() throws {
    let registry = try FakeRegistry { _, _ in
      .init(status: 403, body: Array(#"{"errors":[{"code":"DENIED","message":"no"}]}"#.utf8))
    }
    let fixture = try RegistryFixture(logins: Self.logins(registry.host))
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(
      text == """
        the registry '\(registry.host)' does not give '\(registry.host)/app:1': it answered with status 403 (DENIED: no)
        help: log in with 'pipeline login \(registry.host)' as somebody who may do that
        """)
  }
}

@Suite struct RegistryCredentialsTests {
  private func credentials(_ text: String) throws -> (RegistryCredentials, TemporaryDirectory) {
    let directory = try TemporaryDirectory()
    let file = try directory.write("config.json", text)
    return (RegistryCredentials(file: file), directory)
  }

  private static let auth = Data("jo:a:b".utf8).base64EncodedString()

  @Test(
    "a login is found under every spelling of its host",
    arguments: [
      ("docker.io", "https://index.docker.io/v1/"), ("docker.io", "docker.io"),
      ("example.com:5000", "example.com:5000"), ("example.com", "https://example.com/v2/"),
      ("example.com", "http://example.com"), ("example.com", "example.com/team"),
    ])
  func keys(registry: String, key: String) throws {
    let (credentials, directory) = try credentials(
      #"{"auths":{"other.example":{"auth":"eDp5"},"\#(key)":{"auth":"\#(Self.auth)"}}}"#)
    #expect(
      try credentials.credential(for: registry, repository: "team/app")
        == .password(user: "jo", password: "a:b"))
    #expect(try credentials.credential(for: "none.example", repository: "team/app") == nil)
    withExtendedLifetime(directory) {}
  }

  @Test("a broken file and a broken entry are named without their content")
  func broken() throws {
    let (file, directory) = try credentials(#"{"auths":"#)
    #expect(throws: Diagnostic.self) { try file.credential(for: "x.example", repository: "a") }
    let (entry, other) = try credentials(#"{"auths":{"x.example":{"auth":"c2VjcmV0"}}}"#)
    do {
      _ = try entry.credential(for: "x.example", repository: "a")
      Issue.record("it was read")
    } catch let error as Diagnostic {
      #expect(
        error.message
          == "the login for 'x.example' in '\(other.path.appending("config.json"))' cannot be read")
    }
    withExtendedLifetime(directory) {}
  }

  @Test("a login is written for its owner alone, and the rest of the file stays")
  func store() throws {
    let (credentials, directory) = try credentials(
      #"{"auths":{"a.example":{"auth":"eDp5"}},"detachKeys":"ctrl-q","n":1.5}"#)
    let file = directory.path.appending("config.json")
    #expect(
      try credentials.store(user: "jo", password: "s", for: "b.example:5000") == .file(file))
    var status = stat()
    _ = file.withPlatformString { stat($0, &status) }
    #expect(status.st_mode & 0o777 == 0o600)
    let text = String(decoding: try FileContent.read(file), as: UTF8.self)
    #expect(
      text == """
        {
          "auths" : {
            "a.example" : {
              "auth" : "eDp5"
            },
            "b.example:5000" : {
              "auth" : "am86cw=="
            }
          },
          "detachKeys" : "ctrl-q",
          "n" : 1.5
        }

        """)
    try credentials.erase("b.example:5000")
    #expect(try credentials.credential(for: "b.example:5000", repository: "a") == nil)
    #expect(
      try credentials.credential(for: "a.example", repository: "a")
        == .password(user: "x", password: "y"))
    #expect(try DirectoryTree.names(in: directory.path) == ["config.json"])
    // Forgetting what is not there makes no file.
    let none = RegistryCredentials(file: directory.path.appending("none.json"))
    try none.erase("b.example:5000")
    #expect(try DirectoryTree.names(in: directory.path) == ["config.json"])
  }
}

@Suite struct AuthenticationChallengeTests {
  static let cases: [(header: String, challenges: [AuthenticationChallenge])] = [
    ("Basic realm=\"a, b\"", [.basic]),
    ("basic", [.basic]),
    (
      #"Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push""#,
      [.bearer(realm: "https://a/t", service: "s", scope: "repository:a/b:pull,push")]
    ),
    (
      #"Negotiate, Basic realm=x, Bearer realm=https://a , service = "q\"q""#,
      [.basic, .bearer(realm: "https://a", service: #"q"q"#, scope: nil)]
    ),
    ("Bearer", []), ("", []), (",,=\"", []),
  ]

  @Test("challenges are read as RFC 9110 writes them", arguments: cases)
  func parse(_ item: (header: String, challenges: [AuthenticationChallenge])) {
    #expect(AuthenticationChallenge.parse(item.header) == item.challenges)
  }
}
