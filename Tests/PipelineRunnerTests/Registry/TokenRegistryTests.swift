import FoundationEssentials
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Against docker-registry with `auth: token`, which checks every token's signature, end and scope.
@Suite("Registries with signed tokens")
struct TokenRegistryTests {
  let tokens: SigningTokenServer
  let registry: DockerRegistry

  init() throws {
    tokens = try SigningTokenServer()
    registry = try DockerRegistry(.token(tokens))
  }

  private func image(_ seed: UInt64, layers: Int = 2) throws -> FakeImage {
    try FakeImage(
      layers: (0..<layers).map { FakeImage.noise(40_000, seed: seed + 100 * UInt64($0)) })
  }

  /// A client with a login, which is the user's name twice.
  private func client(_ user: String?, identity: String? = nil) throws -> RegistryFixture {
    var entry = identity.map { #""identitytoken":"\#($0)""# } ?? ""
    if let user {
      entry = #""auth":"\#(Data("\(user):\(user)\(user)".utf8).base64EncodedString())""#
    }
    return try RegistryFixture(
      logins: entry.isEmpty ? nil : #"{"auths":{"\#(registry.host)":{\#(entry)}}}"#)
  }

  @Test("what is pushed with a login is pulled with it, also with an identity token")
  func roundTrip() async throws {
    let image = try image(1)
    try await client("jo").push(image, to: "\(registry.host)/team/app:1")
    for reader in [try client("jo"), try client(nil, identity: "jojo")] {
      let found = try reader.resolve("\(registry.host)/team/app:1")
      #expect(found.digest == image.digest)
      #expect(try reader.layers(of: found) == image.layers)
    }
  }

  @Test("of many uploads at once one fetches the token")
  func oneToken() async throws {
    try await client("jo").push(try image(1, layers: 12), to: "\(registry.host)/team/app:1")
    #expect(tokens.scopes == [["repository:team/app:pull,push"]])
  }

  /// Layers with a count of those that had to be sent.
  private func blobs(
    _ image: FakeImage, in fixture: RegistryFixture, from origin: String
  ) throws -> (blobs: [RegistryPush.Blob], sent: Sent) {
    let sent = Sent()
    let blobs = try image.layers.map { layer in
      let digest = SHA256Hasher.digest(of: layer)
      let file = fixture.directory.path.appending(digest.hex)
      try FileContent.write(file, layer)
      return RegistryPush.Blob(
        descriptor: Descriptor(
          mediaType: MediaType.ociLayer, digest: digest, size: Int64(layer.count)), origin: origin
      ) {
        sent.count.withLock { $0 += 1 }
        return file
      }
    }
    return (blobs, sent)
  }

  private final class Sent: Sendable {
    let count = Mutex(0)
  }

  @Test("layers are mounted with a token for both repositories, and sent where that is refused")
  func mount() async throws {
    let jo = try client("jo")
    let image = try image(1)
    try await jo.push(image, to: "\(registry.host)/team/base:1")
    // The second source holds nothing that this login may read.
    for (target, origin, count) in [
      ("team/app", "team/base", 0), ("team/other", "secret/base", image.layers.count),
    ] {
      let (blobs, sent) = try blobs(image, in: jo, from: origin)
      let push = try RegistryPush(
        RegistryReference("\(registry.host)/\(target):1"), client: jo.client)
      for blob in blobs { try await push.ensure(blob) }
      #expect(sent.count.withLock { $0 } == count)
      #expect(
        tokens.scopes.contains(["repository:\(target):pull,push", "repository:\(origin):pull"]))
    }
  }

  @Test("a token that ends is replaced, whether its end was told rightly or not")
  func expiry() async throws {
    let jo = try client("jo")
    let (first, second) = (try image(1), try image(2))
    for (name, said) in [("honest", 2), ("lying", 300)] {
      tokens.give(seconds: 2, saying: said)
      let before = tokens.scopes.count
      try await jo.push(first, to: "\(registry.host)/team/\(name):1")
      try await Task.sleep(for: .seconds(3))
      try await jo.push(second, to: "\(registry.host)/team/\(name):2")
      let found = try jo.resolve("\(registry.host)/team/\(name):2")
      #expect(found.digest == second.digest)
      // For writing twice, and once for reading.
      #expect(tokens.scopes.count - before >= 3)
    }
  }

  @Test("a token that ends while a build runs is replaced before its push")
  func expiryInBuild() async throws {
    let site = try CommandSite()
    let host = registry.host
    try site.directory.write(
      "home/.docker/config.json",
      #"{"auths":{"\#(host)":{"auth":"\#(Data("jo:jojo".utf8).base64EncodedString())"}}}"#)
    try site.writeRoot()
    try await site.build("FROM scratch\nCOPY root /\n", "-t", "\(host)/team/base:1", "--push")
    tokens.give(seconds: 2, saying: 300)
    let before = tokens.scopes.count
    try await site.build(
      "FROM \(host)/team/base:1\nRUN sleep 3; echo made > /made\n", "--state-dir",
      "\(site.path)/other", "-t", "\(host)/team/base:2", "--push")
    let asked = tokens.scopes[before...]
    #expect(asked.contains(["repository:team/base:pull"]))
    #expect(asked.contains(["repository:team/base:pull,push"]))
    try await site.build(
      "FROM \(host)/team/base:2\n", "--state-dir", "\(site.path)/third", "-o",
      "\(site.path)/out")
    #expect(try site.content(site.path.appending("out/made")) == "made\n")
  }

  @Test("what a login may not do is said, and what a guest may not")
  func refusals() async throws {
    let host = registry.host
    let image = try image(1)
    try await client("jo").push(image, to: "\(host)/team/shared:1")
    let eve = try client("eve")
    #expect(try eve.resolve("\(host)/team/shared:1").digest == image.digest)
    let advice = "help: log in with 'pipeline login \(host)' as somebody who may do that"
    #expect(
      await eve.asyncFailure { try await eve.push(try self.image(2), to: "\(host)/team/shared:2") }
        == "the registry '\(host)' does not let this login reach '\(host)/team/shared:2'\n\(advice)"
    )
    #expect(
      eve.failure { _ = try eve.resolve("\(host)/team/app:1") }
        == "the registry '\(host)' does not let this login reach '\(host)/team/app:1'\n\(advice)")
    let guest = try client(nil)
    #expect(
      guest.failure { _ = try guest.resolve("\(host)/team/shared:1") }
        == "the registry '\(host)' wants a login for '\(host)/team/shared:1'\n"
        + "help: log in with 'pipeline login \(host)'")
    #expect(
      guest.failure { _ = try guest.resolve("\(host)/public/app:1") }.hasPrefix(
        "'\(host)/public/app:1': not found in the registry"))
    let wrong = try RegistryFixture(
      logins: #"{"auths":{"\#(host)":{"auth":"am86d3Jvbmc="}}}"#)
    #expect(
      wrong.failure { _ = try wrong.resolve("\(host)/team/shared:1") } == """
        the registry '\(host)' does not accept the login of 'jo'
        help: log in again with 'pipeline login \(host)'
        """)
  }

  @Test("what a challenge names is asked for where it is not in our own scopes already")
  func scopes() {
    let own = ["repository:a/b:pull,push", "repository:c:pull"]
    #expect(RegistryAuthorizer.scopes(own, "repository:a/b:pull repository:c:pull") == own)
    #expect(
      RegistryAuthorizer.scopes(own, "repository:c:pull,push registry:catalog:*")
        == own + ["repository:c:pull,push", "registry:catalog:*"])
    #expect(RegistryAuthorizer.scopes([], nil) == [])
    #expect(RegistryAuthorizer.scopes(own, "  ") == own)
  }

  @Test(
    "a token serves for less than it is said to",
    arguments: [(nil, 50), (300, 290), (60, 50), (4, 2), (0, 0), (-5, 0), (1e9, 86_390)]
      as [(Double?, Double)])
  func life(said: Double?, seconds: Double) {
    #expect(RegistryAuthorizer.life(said) == seconds)
  }
}
