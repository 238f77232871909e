import FoundationEssentials
import PipelineDSL
import Synchronization
import Testing

@testable import PipelineRunner

@Suite struct RegistryPushTests {
  private static let layer = FakeImage.noise(100_000, seed: 31)
  private func image() throws -> FakeImage {
    try FakeImage(layers: [Self.layer, FakeImage.noise(20, seed: 32)])
  }

  private func check(_ registry: FakeRegistry, has image: FakeImage, at tag: String) {
    registry.content.withLock { content in
      for (digest, bytes) in image.blobs { #expect(content.blobs[digest] == bytes) }
      #expect(content.manifests[tag]?.bytes == image.manifest)
    }
  }

  @Test("blobs come before the manifest, and a second push sends none")
  func twice() async throws {
    let registry = try FakeRegistry()
    let fixture = try RegistryFixture()
    let image = try image()
    try await fixture.push(image, to: "\(registry.host)/team/app:1")
    check(registry, has: image, at: "1")
    #expect(registry.lines.last == "PUT /v2/team/app/manifests/1")
    let count = registry.requests.count
    try await fixture.push(image, to: "\(registry.host)/team/app:2")
    let second = registry.requests.dropFirst(count)
    #expect(second.map(\.method).sorted() == ["HEAD", "HEAD", "HEAD", "PUT"])
    check(registry, has: image, at: "2")
  }

  @Test("large blobs go in chunks, never smaller than the registry allows (28)")
  func chunks() async throws {
    for (minimum, sizes) in [("10", [40_000, 40_000, 20_000]), ("70000", [70_000, 30_000])] {
      let registry = try FakeRegistry { request, registry in
        guard request.method == "POST" else { return nil }
        var answer = registry.answer(request)
        answer.headers.append(("OCI-Chunk-Min-Length", minimum))
        return answer
      }
      let fixture = try RegistryFixture(chunkSize: 40_000)
      let image = try FakeImage(layers: [Self.layer])
      try await fixture.push(image, to: "\(registry.host)/app:1")
      check(registry, has: image, at: "1")
      let patches = registry.requests.filter { $0.method == "PATCH" }
      #expect(patches.map(\.body.count) == sizes)
      #expect(patches[0].headers["content-range"] == "0-\(sizes[0] - 1)")
    }
  }

  @Test("a broken upload goes on where the registry says, or starts again (28)")
  func brokenUploads() async throws {
    for isKnown in [true, false] {
      let count = Mutex(0)
      let registry = try FakeRegistry { request, registry in
        guard request.path.contains("/uploads/") else { return nil }
        if request.method == "GET" {
          guard isKnown else { return .init(status: 404) }
          return .init(status: 204, headers: [("Range", "0-39999"), ("Location", request.target)])
        }
        let number = count.withLock { count in
          count += request.method == "PATCH" ? 1 : 0
          return count
        }
        // The second chunk gets no answer.
        guard request.method == "PATCH", number == 2 else { return nil }
        return .init(isSilent: true)
      }
      let fixture = try RegistryFixture(chunkSize: 40_000)
      let image = try FakeImage(layers: [Self.layer])
      try await fixture.push(image, to: "\(registry.host)/app:1")
      check(registry, has: image, at: "1")
    }
  }

  @Test("a blob of another repository is mounted; 202 means it is not (28)")
  func mounts() async throws {
    for mounts in [true, false] {
      let registry = try FakeRegistry { request, registry in
        guard mounts, let text = request.query("mount").first, let digest = Digest(text) else {
          return nil
        }
        registry.content.withLock { $0.blobs[digest] = Self.layer }
        return .init(status: 201, headers: [("Location", "/v2/app/blobs/\(digest)")])
      }
      let fixture = try RegistryFixture()
      let image = try FakeImage(layers: [Self.layer])
      try await fixture.push(
        image, to: "\(registry.host)/app:1",
        origins: [SHA256Hasher.digest(of: Self.layer): "library/base"])
      check(registry, has: image, at: "1")
      #expect(
        registry.requests.contains {
          $0.query("from") == ["library/base"]
            && $0.query("mount") == ["\(SHA256Hasher.digest(of: Self.layer))"]
        })
      let sent = registry.requests.filter { $0.method == "PUT" && $0.body == Self.layer }
      #expect(sent.count == (mounts ? 0 : 1))
    }
  }

  @Test("an upload at another origin gets the blob and no login (27)")
  func foreignLocation() async throws {
    let received = Mutex<[UInt8]>([])
    let storage = try LoopbackServer { request in
      received.withLock { $0 = request.body }
      return .init(status: 201)
    }
    let header = "Basic \(Data("jo:secret".utf8).base64EncodedString())"
    let registry = try FakeRegistry { request, registry in
      guard request.headers["authorization"] == header else {
        return .init(status: 401, headers: [("WWW-Authenticate", "Basic")])
      }
      guard request.method == "POST" else { return nil }
      return .init(
        status: 202, headers: [("Location", "http://\(storage.host)/put?signature=a%2Fb")])
    }
    let fixture = try RegistryFixture(
      logins:
        #"{"auths":{"\#(registry.host)":{"auth":"\#(Data("jo:secret".utf8).base64EncodedString())"}}}"#
    )
    try await fixture.push(FakeImage(layers: []), to: "\(registry.host)/app:1")
    let request = try #require(storage.requests.first)
    #expect(request.headers["authorization"] == nil)
    #expect(request.target.hasPrefix("/put?signature=a%2Fb&digest=sha256%3"))
    #expect(received.withLock { $0 } == (try FakeImage(layers: []).config))
  }

  @Test("an upload that leads from https to http is refused (27)")
  func downgrade() throws {
    let fixture = try RegistryFixture()
    let endpoint = RegistryEndpoint(
      name: "r.example", base: try #require(WebAddress("https://r.example")),
      client: fixture.client.http, options: fixture.client.options)
    let response = HTTPResponse(status: 202, headers: [("location", "http://r.example/v2/x")])
    let text = fixture.failure { _ = try endpoint.location(response, from: nil, "'r.example/a:1'") }
    #expect(
      text == """
        the registry 'r.example' redirects 'r.example/a:1' from https to 'http://r.example'
        help: the registry stands behind a proxy it does not know of: let it send relative addresses, or set X-Forwarded-Proto
        """)
  }

  @Test("a body too large for a proxy is sent in chunks, a refused push says why")
  func refusals() async throws {
    let registry = try FakeRegistry { request, _ in
      request.method == "PUT" && request.path.contains("/uploads/") && request.body.count > 50_000
        ? .init(status: 413) : nil
    }
    let fixture = try RegistryFixture()
    // Below the smallest chunk nothing is left to try.
    let text = await fixture.asyncFailure {
      try await fixture.push(FakeImage(layers: [Self.layer]), to: "\(registry.host)/app:1")
    }
    #expect(
      text == """
        the registry '\(registry.host)' takes no parts of 100000 bytes for '\(registry.host)/app:1'
        help: raise the limit of a request's body at the registry, or at the proxy before it (client_max_body_size in nginx)
        """)
    let denied = try FakeRegistry { request, _ in
      request.method == "POST"
        ? .init(status: 403, body: Array(#"{"errors":[{"code":"DENIED"}]}"#.utf8)) : nil
    }
    let reason = await fixture.asyncFailure {
      try await fixture.push(FakeImage(layers: []), to: "\(denied.host)/app:1")
    }
    #expect(
      reason == """
        the registry '\(denied.host)' takes no layer of '\(denied.host)/app:1': it answered with status 403 (DENIED)
        help: log in with 'pipeline login \(denied.host)' as somebody who may do that
        """)
    #expect(denied.content.withLock { $0.manifests.isEmpty })
  }

  @Test("an index follows the manifests it names, which go by their digests")
  func index() async throws {
    let registry = try FakeRegistry()
    let fixture = try RegistryFixture()
    let images = try [image(), FakeImage(layers: [], architecture: "arm64")]
    var documents = images.flatMap { image in
      [
        ImageBundle.Document(descriptor: image.configDescriptor, bytes: image.config),
        ImageBundle.Document(descriptor: image.descriptor(nil), bytes: image.manifest),
      ]
    }
    let index = ImageIndex(
      manifests: zip(images, ["amd64", "arm64"]).map { image, architecture in
        image.descriptor(.init(architecture: architecture, os: "linux"))
      })
    documents.append(try ImageBundle.Document(encoding: index, MediaType.ociIndex))
    let push = try RegistryPush(
      RegistryReference("\(registry.host)/app:1"), client: fixture.client)
    try await push.push(
      blobs: [], documents: documents, scratch: fixture.directory.path, tag: "1")
    #expect(
      registry.lines.filter { $0.hasPrefix("PUT /v2/app/manifests/") }
        == images.map { "PUT /v2/app/manifests/\($0.digest)" } + ["PUT /v2/app/manifests/1"])
    #expect(
      try fixture.resolve("\(registry.host)/app:1", "linux/arm64").digest == images[1].digest)
  }

  @Test("a token for writing is asked for when something is written")
  func scopes() async throws {
    let tokens = try TokenServer()
    let registry = try FakeRegistry(tokens.hook)
    let fixture = try RegistryFixture()
    try await fixture.push(image(), to: "\(registry.host)/app:1")
    #expect(
      tokens.server.requests.allSatisfy { $0.query("scope").first == "repository:app:pull,push" })
  }
}
