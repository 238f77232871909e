import Dispatch
import FoundationEssentials
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Threats 26 and 28: registries and networks that do not keep their word.
@Suite struct RegistryFaultTests {
  private static let layer = FakeImage.noise(500_000, seed: 11)

  /// A hook that answers the first requests for blobs of a registry, then lets it answer itself.
  private static func blobs(
    first: Int, _ fault: @escaping @Sendable (LoopbackServer.Request) -> LoopbackServer.Answer
  ) -> FakeRegistry.Hook {
    let count = Mutex(0)
    return { request, _ in
      guard request.path.contains("/blobs/\(SHA256Hasher.digest(of: layer))") else { return nil }
      let number = count.withLock { count in
        count += 1
        return count
      }
      return number <= first ? fault(request) : nil
    }
  }

  private func pull(
    _ hook: @escaping FakeRegistry.Hook, patience: TransferPatience = TransferPatience(),
    change: (inout ImageManifest) -> Void = { _ in }
  ) throws -> (layers: [[UInt8]], failure: String, registry: FakeRegistry, waits: [Double]) {
    let fixture = try RegistryFixture(patience: patience)
    let registry = try FakeRegistry(hook)
    registry.add(try FakeImage(layers: [Self.layer], change: change), tags: ["1"])
    var layers: [[UInt8]] = []
    let failure = fixture.failure {
      layers = try fixture.layers(of: fixture.resolve("\(registry.host)/app:1"))
    }
    return (
      layers, failure.split(separator: registry.host).joined(separator: "HOST"), registry,
      fixture.waits.seconds
    )
  }

  @Test("a blob goes on where its connection broke (28)", arguments: [true, false])
  func resume(resets: Bool) throws {
    let result = try pull(
      Self.blobs(first: 2) { request in
        var answer = FakeRegistry.blob(Self.layer, request)
        answer.cutsAfter = 100_000
        answer.resets = resets
        return answer
      })
    #expect(result.failure == "")
    #expect(result.layers == [Self.layer])
    let ranges = result.registry.requests.filter { $0.path.contains("/blobs/") }.compactMap {
      $0.headers["range"]
    }
    // After a reset the kernel may drop what was not read yet.
    if !resets { #expect(ranges == ["bytes=100000-", "bytes=200000-"]) }
    #expect(ranges.count == 2)
  }

  /// Short spans, so that a test need not wait for a minute.
  private static let impatient = TransferPatience(
    silence: .seconds(1), answer: .seconds(1), slowest: 1000)

  @Test(
    "a server that stalls, or sends a byte now and then, is left, and the blob goes on (28)",
    arguments: [false, true])
  func slow(drips: Bool) throws {
    let result = try pull(
      Self.blobs(first: 2) { request in
        var answer = FakeRegistry.blob(Self.layer, request)
        answer.stallsAfter = 100_000
        answer.drips = drips
        return answer
      }, patience: Self.impatient)
    #expect(result.failure == "")
    #expect(result.layers == [Self.layer])
    let starts = result.registry.requests.filter { $0.path.contains("/blobs/") }.compactMap {
      $0.headers["range"].flatMap { Int($0.dropFirst("bytes=".count).dropLast()) }
    }
    // On a busy machine an answer may come too late as well, and is asked for once more.
    #expect(starts.count >= 2)
    #expect(starts.allSatisfy { $0 >= 100_000 })
  }

  @Test("a server that does nothing but drip is given up, though each try brings a few bytes (28)")
  func endlessDrip() throws {
    let result = try pull(
      Self.blobs(first: .max) { request in
        var answer = FakeRegistry.blob(Self.layer, request)
        answer.stallsAfter = 0
        answer.drips = true
        return answer
      }, patience: Self.impatient)
    #expect(
      result.failure.hasPrefix(
        "the connection to the registry 'HOST' broke 5 times for a layer of 'HOST/app:1': "))
  }

  @Test("a mirror that breaks down in the middle of a layer is left for the registry")
  func mirrorBreaks() throws {
    let registry = try FakeRegistry()
    let mirror = try FakeRegistry(
      Self.blobs(first: .max) { request in
        var answer = FakeRegistry.blob(Self.layer, request)
        answer.cutsAfter = request.headers["range"] == nil ? 100_000 : 0
        return answer
      })
    let image = try FakeImage(layers: [Self.layer])
    for server in [registry, mirror] { server.add(image, tags: ["1"]) }
    let fixture = try RegistryFixture(
      mirrors: [registry.host: [try #require(WebAddress("http://\(mirror.host)"))]])
    let found = try fixture.resolve("\(registry.host)/app:1")
    #expect(try fixture.layers(of: found) == [Self.layer])
    #expect(registry.requests.map { $0.headers["range"] } == ["bytes=100000-"])
  }

  @Test("a server without ranges sends what was had once more (28)")
  func resumeWithoutRanges() throws {
    let result = try pull(
      Self.blobs(first: 1) { _ in .init(body: Self.layer, cutsAfter: 100_000) },
      change: { _ in })
    #expect(result.layers == [Self.layer])
    let plain = try pull(
      Self.blobs(first: 2) { request in
        .init(body: Self.layer, cutsAfter: request.headers["range"] == nil ? 100_000 : nil)
      })
    #expect(plain.layers == [Self.layer])
  }

  @Test("a connection that breaks without end is given up (28)")
  func endlessBreaks() throws {
    let result = try pull(
      Self.blobs(first: .max) { request in
        .init(body: Self.layer, cutsAfter: 0)
      })
    #expect(
      result.failure.hasPrefix(
        "the connection to the registry 'HOST' broke 5 times for a layer of 'HOST/app:1': "))
    #expect(result.waits.count == 4)
  }

  @Test("a wrong part after a break is refused (28)")
  func wrongRange() throws {
    let result = try pull(
      Self.blobs(first: 2) { request in
        guard request.headers["range"] != nil else {
          return .init(body: Self.layer, cutsAfter: 100_000)
        }
        return .init(
          status: 206, headers: [("Content-Range", "bytes 0-499999/500000")], body: Self.layer)
      })
    #expect(
      result.failure
        == "the registry 'HOST' sent another part of a layer of 'HOST/app:1' than asked for")
  }

  @Test("416 after a break says that the blob is shorter (28)")
  func rangeNotSatisfiable() throws {
    let result = try pull(
      Self.blobs(first: 2) { request in
        request.headers["range"] == nil
          ? .init(body: Self.layer, cutsAfter: 100_000) : .init(status: 416)
      })
    #expect(
      result.failure
        == "the layer \(SHA256Hasher.digest(of: Self.layer)) of 'HOST/app:1' has less than 100001 bytes at the registry 'HOST' and 500000 in its manifest"
    )
  }

  @Test("a body shorter than its Content-Length breaks, one that ends early by it is refused (28)")
  func truncated() throws {
    let cut = try pull(
      Self.blobs(first: 1) { _ in
        .init(body: Array(Self.layer[..<1000]), claimedLength: Self.layer.count)
      })
    #expect(cut.layers == [Self.layer])
    let short = try pull(
      Self.blobs(first: .max) { _ in .init(body: Array(Self.layer[..<1000])) })
    #expect(
      short.failure
        == "the layer \(SHA256Hasher.digest(of: Self.layer)) of 'HOST/app:1' has 1000 bytes at the registry 'HOST' and 500000 in its manifest"
    )
  }

  @Test("too many requests and outages are waited for as long as the server says (28)")
  func retryAfter() throws {
    let result = try pull(
      Self.blobs(first: 3) { _ in .init(status: 429, headers: [("Retry-After", "7")]) })
    #expect(result.layers == [Self.layer])
    #expect(result.waits == [7, 7, 7])
    let outage = try pull(Self.blobs(first: 2) { _ in .init(status: 503) })
    #expect(outage.layers == [Self.layer])
    #expect(outage.waits == [0.25, 0.5])
  }

  @Test("a wait too long is told instead (28)")
  func longWait() throws {
    let result = try pull(
      Self.blobs(first: .max) { _ in
        .init(
          status: 429, headers: [("Retry-After", "3600")],
          body: Array(
            #"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\u001b[2J down"}]}"#.utf8))
      })
    #expect(
      result.failure == """
        the registry 'HOST' does not give a layer of 'HOST/app:1': it answered with status 429 (TOOMANYREQUESTS: slow[2J down)
        help: wait 3600 seconds, or log in: registries limit guests
        """)
    #expect(result.waits == [])
  }

  @Test("a wrong body is never kept under the digest it should have (26)")
  func wrongBody() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry(
      Self.blobs(first: .max) { _ in .init(body: FakeImage.noise(500_000, seed: 12)) })
    registry.add(try FakeImage(layers: [Self.layer]), tags: ["1"])
    _ = try fixture.layers(of: fixture.resolve("\(registry.host)/app:1"))
    let blob = Descriptor(
      mediaType: MediaType.ociLayer, digest: SHA256Hasher.digest(of: Self.layer),
      size: Int64(Self.layer.count))
    #expect(!fixture.store.hasBlob(blob))
    #expect(try DirectoryTree.names(in: fixture.store.path.appending("blobs")).isEmpty)
  }

  /// Documents that are no manifest, and what is said of each (26, 29).
  static let documents: [(type: String, text: String, said: String)] = [
    (MediaType.ociManifest, "[]", "is malformed: '' has a value of another kind"),
    (
      MediaType.ociManifest, #"{"schemaVersion":2,"layers":[],"config":{},"manifests":[]}"#,
      "is a manifest and an index at once; such a document is refused"
    ),
    (
      MediaType.ociManifest,
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
      "calls itself 'application/vnd.oci.image.index.v1+json', but was announced as 'application/vnd.oci.image.manifest.v1+json'"
    ),
    (
      MediaType.ociManifest,
      #"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:../../x","size":1},"layers":[]}"#,
      "is malformed: 'sha256:../../x' is not a sha256 digest"
    ),
    (
      MediaType.ociManifest,
      #"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha512:00","size":1},"layers":[]}"#,
      "is malformed: 'sha512:00' is not a sha256 digest"
    ),
    (
      MediaType.ociManifest,
      #"{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","size":1},"layers":[]}"#,
      "is malformed: 'sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' is not a sha256 digest"
    ),
    ("application/json", #"{"schemaVersion":2}"#, "is malformed: 'config' is missing"),
  ]

  @Test("documents that are no manifest are refused with the reason (26)", arguments: documents)
  func document(_ document: (type: String, text: String, said: String)) throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    registry.addDocument(Array(document.text.utf8), type: document.type, tags: ["1"])
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(text == "the manifest of '\(registry.host)/app:1' \(document.said)")
  }

  @Test("schema 1 is refused (29)")
  func schema1() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    registry.addDocument(
      Array(#"{"schemaVersion":1,"fsLayers":[]}"#.utf8),
      type: "application/vnd.docker.distribution.manifest.v1+prettyjws", tags: ["1"])
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(
      text == """
        the manifest of '\(registry.host)/app:1' is a manifest of schema 1, which no current program reads
        help: push the image again with a current tool
        """)
  }

  @Test("another manifest than its digest says, and one without end, are refused (26)")
  func wrongManifest() throws {
    let fixture = try RegistryFixture()
    let image = try FakeImage(layers: [Self.layer])
    let registry = try FakeRegistry { request, _ in
      request.path.contains("/manifests/sha256")
        ? .init(headers: [("Content-Type", MediaType.ociManifest)], body: Array("{}".utf8)) : nil
    }
    registry.add(image, tags: ["1"])
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1") }
    #expect(
      text
        == "the registry '\(registry.host)' sent another manifest for '\(registry.host)/app:1' than it names"
    )
    let endless = try FakeRegistry { request, _ in
      request.method == "GET"
        ? .init(body: [UInt8](repeating: 32, count: 5 << 20)) : .init(status: 404)
    }
    #expect(
      fixture.failure { _ = try fixture.resolve("\(endless.host)/app:1") }
        == "the registry '\(endless.host)' sends more than 4194304 bytes for '\(endless.host)/app:1'"
    )
  }

  @Test("sizes below zero and configs beyond reason are refused (26)")
  func sizes() throws {
    let negative = try pull({ _, _ in nil }, change: { $0.layers[0].size = -1 })
    #expect(
      negative.failure
        == "the manifest of 'HOST/app:1' gives \(SHA256Hasher.digest(of: Self.layer)) the size -1")
    let huge = try pull({ _, _ in nil }, change: { $0.config.size = 10 << 30 })
    #expect(
      huge.failure
        == "the config of 'HOST/app:1' is said to have 10737418240 bytes; 8388608 are allowed")
    let wrong = try pull({ _, _ in nil }, change: { $0.layers[0].size = 400_000 })
    #expect(
      wrong.failure
        == "the layer \(SHA256Hasher.digest(of: Self.layer)) of 'HOST/app:1' has 500000 bytes at the registry 'HOST' and 400000 in its manifest"
    )
  }

  @Test("a build that is cancelled does not wait for a server that says nothing")
  func cancellation() async throws {
    let fixture = try RegistryFixture()
    let (arrived, released) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let registry = try FakeRegistry { request, _ in
      guard request.path.contains("/blobs/\(SHA256Hasher.digest(of: Self.layer))") else {
        return nil
      }
      arrived.signal()
      released.wait()
      return nil
    }
    registry.add(try FakeImage(layers: [Self.layer]), tags: ["1"])
    let image = try fixture.resolve("\(registry.host)/app:1")
    let directory = fixture.directory.path.appending("unpacked")
    try DirectoryTree.make(directory, mode: 0o755)
    let pull = Task {
      try await blocking { _ = try image.layers[0].unpack(into: directory) }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        arrived.wait()
        continuation.resume()
      }
    }
    pull.cancel()
    await #expect(throws: CancellationError.self) { try await pull.value }
    released.signal()
  }
}
