import FoundationEssentials
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Against a registry that others wrote, and with what other clients write and read.
@Suite struct DockerRegistryTests {
  private func image() throws -> FakeImage {
    try FakeImage(layers: [FakeImage.noise(3_000_000, seed: 51), FakeImage.noise(1, seed: 52)])
  }

  /// Pushes, and pulls into another store.
  private func roundTrip(
    _ registry: DockerRegistry, prepare: @escaping (TemporaryDirectory) throws -> Void = { _ in },
    logins: String? = nil, chunkSize: Int64 = 256 << 20
  ) async throws {
    let image = try image()
    let first = try RegistryFixture(logins: logins, chunkSize: chunkSize, prepare: prepare)
    try await first.push(image, to: "\(registry.host)/team/app:1")
    let second = try RegistryFixture(logins: logins, prepare: prepare)
    let found = try second.resolve("\(registry.host)/team/app:1")
    #expect(found.digest == image.digest)
    #expect(try second.layers(of: found) == image.layers)
  }

  @Test("what is pushed is pulled, whole or in chunks, and mounted elsewhere")
  func plain() async throws {
    let registry = try DockerRegistry()
    try await roundTrip(registry, chunkSize: 1_000_000)
    let fixture = try RegistryFixture()
    let image = try image()
    let origins = Dictionary(
      uniqueKeysWithValues: image.layers.map { (SHA256Hasher.digest(of: $0), "team/app") })
    try await fixture.push(image, to: "\(registry.host)/other:1", origins: origins)
    #expect(
      try fixture.layers(of: fixture.resolve("\(registry.host)/other:1")) == image.layers)
  }

  @Test("a private authority, a login and a client certificate open a registry")
  func tls() async throws {
    let authority = try TestAuthority()
    for wantsClient in [false, true] {
      let registry = try DockerRegistry(
        .tls(authority, wantsLogin: true, wantsClient: wantsClient))
      let auth = Data("jo:secret".utf8).base64EncodedString()
      try await roundTrip(
        registry,
        prepare: { directory in
          try authority.install(for: registry.host, in: directory, withClient: wantsClient)
        }, logins: #"{"auths":{"\#(registry.host)":{"auth":"\#(auth)"}}}"#)
    }
  }

  @Test("a certificate nobody vouches for, and a missing login, say what to do")
  func untrusted() throws {
    let authority = try TestAuthority()
    let registry = try DockerRegistry(.tls(authority, wantsLogin: true, wantsClient: false))
    // An authority that signed another certificate.
    let other = try TestAuthority()
    let stranger = try RegistryFixture { directory in
      try other.install(for: registry.host, in: directory, withClient: false)
    }
    let text = stranger.failure { _ = try stranger.resolve("\(registry.host)/app:1") }
    #expect(
      text.hasPrefix("the registry '\(registry.host)' has a certificate that is not trusted: "))
    #expect(
      text.hasSuffix(
        "help: put its authority into /etc/docker/certs.d/\(registry.host)/ca.crt"))
    let guest = try RegistryFixture { directory in
      try authority.install(for: registry.host, in: directory, withClient: false)
    }
    #expect(
      guest.failure { _ = try guest.resolve("\(registry.host)/app:1") } == """
        the registry '\(registry.host)' wants a login for '\(registry.host)/app:1'
        help: log in with 'pipeline login \(registry.host)'
        """)
  }

  @Test("a login is checked at its registry")
  func login() throws {
    let authority = try TestAuthority()
    let registry = try DockerRegistry(.tls(authority, wantsLogin: true, wantsClient: false))
    let fixture = try RegistryFixture { directory in
      try authority.install(for: registry.host, in: directory, withClient: false)
    }
    try fixture.client.endpoint(
      of: registry.host, login: .password(user: "jo", password: "secret")
    ).ping()
    #expect(throws: Diagnostic.self) {
      try fixture.client.endpoint(
        of: registry.host, login: .password(user: "jo", password: "wrong")
      ).ping()
    }
  }

  @Test("skopeo reads what was pushed, and what it copies is read")
  func skopeo() async throws {
    let registry = try DockerRegistry()
    let fixture = try RegistryFixture()
    let image = try image()
    try await fixture.push(image, to: "\(registry.host)/team/app:1")
    let layout = fixture.directory.path.appending("layout")
    for arguments in [
      ["docker://\(registry.host)/team/app:1", "oci:\(layout):1"],
      ["oci:\(layout):1", "docker://\(registry.host)/copied:2"],
    ] {
      let output = try ChildProcess.run(
        [
          "skopeo", "--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false",
          "--dest-tls-verify=false",
        ]
          + arguments)
      try #require(output.status == 0, Comment(rawValue: output.errors))
    }
    let copied = try RegistryFixture()
    let found = try copied.resolve("\(registry.host)/copied:2")
    #expect(found.digest == image.digest)
    #expect(try copied.layers(of: found) == image.layers)
  }
}
