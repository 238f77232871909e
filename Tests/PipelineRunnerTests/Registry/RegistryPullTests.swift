import FoundationEssentials
import PipelineDSL
import Testing

@testable import PipelineRunner

@Suite struct RegistryPullTests {
  private func image() throws -> FakeImage {
    try FakeImage(layers: [
      FakeImage.noise(300_000, seed: 1), FakeImage.noise(10, seed: 2), FakeImage.noise(7, seed: 3),
    ])
  }

  @Test("an image is found by its tag, and its layers arrive whole")
  func tag() throws {
    let fixture = try RegistryFixture()
    let image = try image()
    let registry = try FakeRegistry()
    registry.add(image, tags: ["1"])
    let found = try fixture.resolve("\(registry.host)/team/app:1")
    #expect(found.digest == image.digest)
    #expect(found.configuration.config?.environment == ["PATH=/bin"])
    #expect(try fixture.layers(of: found) == image.layers)
  }

  @Test("what was read once is read from the store the next time")
  func kept() throws {
    let fixture = try RegistryFixture()
    let image = try image()
    let registry = try FakeRegistry()
    registry.add(image, tags: ["1"])
    let first = try fixture.resolve("\(registry.host)/app:1")
    _ = try fixture.layers(of: first)
    let count = registry.requests.count
    let second = try fixture.resolve("\(registry.host)/app:1")
    #expect(try fixture.layers(of: second) == image.layers)
    #expect(registry.requests.count == count)
    // Another build asks once what the tag stands for.
    let other = RegistryImages(client: fixture.client, store: fixture.store)
    _ = try other.resolve(RegistryReference("\(registry.host)/app:1"), platform: .current)
    #expect(registry.lines.dropFirst(count) == ["HEAD /v2/app/manifests/1"])
  }

  @Test("a tag that moves during a build stays what it was (29)")
  func movingTag() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    let old = try image()
    registry.add(old, tags: ["1"])
    _ = try fixture.resolve("\(registry.host)/app:1")
    registry.add(try FakeImage(layers: [FakeImage.noise(5, seed: 9)]), tags: ["1"])
    #expect(try fixture.resolve("\(registry.host)/app:1").digest == old.digest)
  }

  @Test("of an index the platform's image is taken, in nested ones too (29)")
  func index() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    let amd = try image()
    let arm = try FakeImage(layers: [FakeImage.noise(5, seed: 4)], architecture: "arm64")
    registry.add(amd, tags: [])
    registry.add(arm, tags: [])
    let inner = try FakeImage.json(
      ImageIndex(manifests: [
        arm.descriptor(.init(architecture: "arm64", os: "linux", variant: "v8"))
      ]))
    registry.addDocument(inner, type: MediaType.ociIndex, tags: [])
    let outer = try FakeImage.json(
      ImageIndex(manifests: [
        amd.descriptor(.init(architecture: "amd64", os: "linux")),
        Descriptor(
          mediaType: MediaType.ociIndex, digest: SHA256Hasher.digest(of: inner),
          size: Int64(inner.count)),
      ]))
    registry.addDocument(outer, type: MediaType.ociIndex, tags: ["1"])
    #expect(try fixture.resolve("\(registry.host)/app:1").digest == amd.digest)
    #expect(try fixture.resolve("\(registry.host)/app:1", "linux/arm64").digest == arm.digest)
  }

  @Test("an index without the platform says which it has (29)")
  func missingPlatform() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    let amd = try image()
    let index = try FakeImage.json(
      ImageIndex(manifests: [
        amd.descriptor(.init(architecture: "amd64", os: "linux")),
        amd.descriptor(.init(architecture: "arm", os: "linux", variant: "v7")),
        amd.descriptor(.init(architecture: "unknown", os: "unknown")),
      ]))
    registry.addDocument(index, type: MediaType.ociIndex, tags: ["1"])
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:1", "linux/s390x") }
    #expect(
      text == """
        '\(registry.host)/app:1' has no image for linux/s390x
        help: it has linux/amd64, linux/arm/v7
        """)
  }

  @Test("layers may repeat, be many, or none (29)")
  func oddLayers() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    let same = FakeImage.noise(100, seed: 7)
    let repeated = try FakeImage(layers: [same, same])
    let many = try FakeImage(layers: (0..<600).map { FakeImage.noise(16, seed: UInt64($0)) })
    let none = try FakeImage(layers: [])
    registry.add(repeated, tags: ["repeated"])
    registry.add(many, tags: ["many"])
    registry.add(none, tags: ["none"])
    for (tag, image) in [("repeated", repeated), ("none", none)] {
      let found = try fixture.resolve("\(registry.host)/app:\(tag)")
      #expect(try fixture.layers(of: found) == image.layers)
    }
    var found = try fixture.resolve("\(registry.host)/app:many")
    #expect(found.layers.count == 600)
    found.layers = Array(found.layers.suffix(2))
    #expect(try fixture.layers(of: found) == many.layers.suffix(2))
  }

  @Test("a reference that the registry lacks is named")
  func missing() throws {
    let fixture = try RegistryFixture()
    let registry = try FakeRegistry()
    let text = fixture.failure { _ = try fixture.resolve("\(registry.host)/app:2") }
    #expect(
      text == """
        '\(registry.host)/app:2': not found in the registry '\(registry.host)'
        help: check the name and the tag; it may also be private: 'pipeline login \(registry.host)'
        """)
  }

  @Test("a registry whose name nobody knows fails at once")
  func unknownHost() throws {
    let fixture = try RegistryFixture()
    let text = fixture.failure { _ = try fixture.resolve("registry.invalid/app:1") }
    #expect(
      text == """
        the registry 'registry.invalid' cannot be reached for 'registry.invalid/app:1': the name 'registry.invalid' cannot be resolved
        help: check the name and the network
        """)
    #expect(fixture.waits.seconds == [])
  }

  @Test("a mirror is asked first, and the registry for what it lacks")
  func mirror() throws {
    let mirror = try FakeRegistry()
    let registry = try FakeRegistry()
    let fixture = try RegistryFixture(
      mirrors: [registry.host: try [#require(WebAddress("http://\(mirror.host)"))]])
    let (first, second) = (try image(), try FakeImage(layers: [FakeImage.noise(9, seed: 5)]))
    mirror.add(first, tags: ["1"])
    registry.add(second, tags: ["2"])
    #expect(
      try fixture.layers(of: fixture.resolve("\(registry.host)/app:1")) == first.layers)
    #expect(registry.requests.isEmpty)
    #expect(
      try fixture.layers(of: fixture.resolve("\(registry.host)/app:2")) == second.layers)
  }
}
