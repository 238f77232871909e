import ArgumentParser
import FoundationEssentials
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Two machines are two stores here, with a registry or a directory between them.
@Suite struct CacheTransferTests {
  private func check(_ site: CacheSite, to target: String, from source: String) async throws {
    try await site.build("first", "--cache-to", "\(target),mode=max")
    // Nothing runs, and nothing is fetched but what the cache says of itself.
    try await site.build("second", "--fail-on-miss", "--cache-from", source)
    #expect(try site.id("second") == site.id("first"))
    // The layers are what they were: they unpack to the content they are named by, and pack again
    // to the digests that the first machine gave them.
    let out = site.directory.path.appending("out")
    try await site.build(
      "third", "--fail-on-miss", "--cache-from", source, "-o", "type=local,dest=\(out)")
    #expect(try DirectoryTree.names(in: out.appending("dir")) == ["new"])
    #expect(try DirectoryTree.names(in: out.appending("etc")).contains("gone") == false)
    #expect(try FileContent.read(out.appending("out")) == Array("one\none\n".utf8))
    var status = stat()
    _ = out.appending("pipe").withPlatformString { lstat($0, &status) }
    #expect(status.st_mode == S_IFIFO | 0o640)
    let archive = site.directory.path.appending("third.tar")
    try await site.build(
      "third", "--fail-on-miss", "--cache-from", source, "-o", "type=oci,dest=\(archive)")
    #expect(try site.id("third") == site.id("first"))
    // A change runs what depends on it, over imported layers.
    try site.directory.write("context/file", "two\n")
    let changed = site.directory.path.appending("changed")
    await #expect(throws: Diagnostic.self) {
      try await site.build("fourth", "--fail-on-miss", "--cache-from", source)
    }
    try await site.build(
      "fourth", "--cache-from", source, "-o", "type=local,dest=\(changed)")
    #expect(try FileContent.read(changed.appending("out")) == Array("two\ntwo\n".utf8))
  }

  @Test("a machine goes on from another's work through a registry")
  func registry() async throws {
    let registry = try DockerRegistry()
    let base = try CacheSite(base: "base")
    try base.directory.write("Dockerfile", "FROM base\n")
    try await base.build("base", "-t", "\(registry.host)/base:1", "--push")
    let site = try CacheSite(base: "\(registry.host)/base:1")
    let cache = "type=registry,ref=\(registry.host)/cache:main"
    try await check(site, to: cache, from: cache)
    // Not even the base's layers were needed.
    #expect(try site.layers("second") == 0)
    // What both machines know is kept when another one writes.
    try await site.build("fifth", "--cache-to", cache)
    try site.directory.write("context/file", "one\n")
    try await site.build("sixth", "--fail-on-miss", "--cache-from", cache)
  }

  @Test("a machine goes on from another's work through a directory")
  func local() async throws {
    let site = try CacheSite(base: "base")
    let folder = site.directory.path.appending("cache")
    try await check(site, to: "type=local,dest=\(folder)", from: "type=local,src=\(folder)")
  }

  private static func document(_ seed: UInt64) -> CacheDocument {
    let bytes = FakeImage.noise(32, seed: seed)
    let layer = SHA256Hasher.digest(of: bytes)
    var document = CacheDocument()
    document.steps = [
      .init(
        key: SHA256Hasher.digest(of: bytes + [1]),
        record: Record(layer: LayerID(layer), created: Int(seed), seconds: 0, parts: []))
    ]
    document.layers = [
      .init(
        layer: LayerID(layer),
        packed: PackedLayer(
          descriptor: Descriptor(
            mediaType: MediaType.ociLayerZstd, digest: layer, size: Int64(bytes.count)),
          diffID: layer))
    ]
    return document
  }

  @Test("what another writer takes away is found missing and added again")
  func overwritten() async throws {
    let other = try Self.document(1).bundle().documents
    let puts = Mutex(0)
    let registry = try FakeRegistry { request, registry in
      guard request.method == "PUT", request.path.hasSuffix("/manifests/main") else { return nil }
      let number = puts.withLock { puts in
        puts += 1
        return puts
      }
      guard number == 1 else { return nil }
      // The other one read before this write and writes after it.
      let answer = registry.answer(request)
      registry.content.withLock { $0.blobs[other[0].descriptor.digest] = other[0].bytes }
      registry.addDocument(other[1].bytes, type: MediaType.ociManifest, tags: ["main"])
      return answer
    }
    let fixture = try RegistryFixture()
    let place = try RegistryCachePlace(
      RegistryReference("\(registry.host)/cache:main"), client: fixture.client,
      store: fixture.store)
    try await place.add(Self.document(2), blobs: [], scratch: fixture.directory.path)
    let read = try #require(try CacheDocument(at: place))
    #expect(read.contains(Self.document(1)))
    #expect(read.contains(Self.document(2)))
    #expect(puts.withLock { $0 } == 2)
  }

  /// Documents of writers that begin at the same moment, each to a place of its own making.
  private func writeAtOnce(
    _ count: UInt64, scratch: FilePath, _ place: @Sendable @escaping () throws -> any CachePlace
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 1...count {
        group.addTask {
          let bytes = FakeImage.noise(32, seed: writer)
          let file = scratch.appending("blob-\(writer)")
          try FileContent.write(file, bytes)
          let document = Self.document(writer)
          let blobs = document.layers.map { layer in
            RegistryPush.Blob(descriptor: layer.packed.descriptor, origin: nil) { file }
          }
          let folder = scratch.appending("writer-\(writer)")
          try DirectoryTree.make(folder, mode: 0o755)
          try await place().add(document, blobs: blobs, scratch: folder)
        }
      }
      try await group.waitForAll()
    }
    let found = try #require(try CacheDocument(at: place()))
    for writer in 1...count { #expect(found.contains(Self.document(writer)), "\(writer)") }
  }

  @Test("eight writers at once lose nothing in a registry")
  func writersInRegistry() async throws {
    let registry = try DockerRegistry()
    let fixture = try RegistryFixture()
    var retries = RetryPolicy()
    // A loopback registry needs less time between a look and a write.
    retries.wait = { seconds in usleep(UInt32(seconds * 300_000)) }
    let client = RegistryClient(options: RegistryOptions(retries: retries))
    let reference = try RegistryReference("\(registry.host)/cache:main")
    let store = fixture.store
    try await writeAtOnce(8, scratch: fixture.directory.path) {
      try RegistryCachePlace(reference, client: client, store: store)
    }
  }

  @Test("eight writers at once lose nothing in a directory, which none of them finds made")
  func writersInDirectory() async throws {
    for _ in 0..<3 {
      let directory = try TemporaryDirectory()
      let target = directory.path.appending("cache")
      try await writeAtOnce(8, scratch: directory.path) {
        LocalCachePlace(directory: target, tag: "latest")
      }
    }
  }

  @Test("an image is not taken for a cache, and a later version is not misread")
  func others() async throws {
    let registry = try FakeRegistry()
    registry.add(try FakeImage(layers: []), tags: ["main"])
    let fixture = try RegistryFixture()
    let place = try RegistryCachePlace(
      RegistryReference("\(registry.host)/cache:main"), client: fixture.client,
      store: fixture.store)
    #expect(
      fixture.failure { _ = try place.read(for: [.current]) } == """
        '\(registry.host)/cache:main' is an image that holds no cache, or another program's cache
        help: build it with --cache-to type=inline, or give the cache a name of its own
        """)
    let failure = await fixture.asyncFailure {
      try await place.add(Self.document(1), blobs: [], scratch: fixture.directory.path)
    }
    #expect(
      failure == """
        '\(registry.host)/cache:main' is an image or another program's cache, and no cache of this one
        help: give the cache a name of its own
        """)
    #expect(
      fixture.failure { _ = try CacheDocument(reading: Array(#"{"version":2}"#.utf8), "'x'") }
        == """
        the cache 'x' was written by another version of this program
        help: give the cache another name
        """)
  }

  @Test("a cache that cannot be read is told, and the build goes on without")
  func unreadable() throws {
    let registry = try FakeRegistry { _, _ in .init(status: 404) }
    let fixture = try RegistryFixture()
    var warnings: [Diagnostic] = []
    let places = try ["a:1", "b:1"].map { name in
      (
        name,
        try RegistryCachePlace(
          RegistryReference(name == "a:1" ? "\(registry.host)/\(name)" : "registry.invalid/b:1"),
          client: fixture.client, store: fixture.store) as any CachePlace
      )
    }
    _ = try ImportedCache(places, warnings: &warnings)
    #expect(
      warnings.map(\.message) == [
        "there is no cache at 'a:1' yet",
        "the registry 'registry.invalid' cannot be reached for 'registry.invalid/b:1': the name 'registry.invalid' cannot be resolved",
      ])
    #expect(warnings.allSatisfy { $0.severity == .warning })
  }

  static let specifications: [(text: String, said: String)] = [
    ("type=registry", "type=registry needs ref=NAME"),
    ("type=local", "type=local needs dest=PATH"),
    ("mode=max", "it has no type="),
    ("type=gha", "there is no type 'gha'"),
    (
      "type=inline,mode=max", "an image tells of the steps whose layers it has, and of no others"
    ),
    ("type=inline,cache-mounts=true", "an image does not hold cache mounts"),
    (
      "type=registry,ref=a@sha256:\(String(repeating: "1", count: 64))",
      "'a@sha256:\(String(repeating: "1", count: 64))' has a digest, and a cache goes to a tag"
    ),
    ("type=local,dest=x,mode=all", "there is no mode 'all'"),
    ("type=local,dest=x,made=max", "there is no field 'made'"),
    ("type=local,dest", "'dest' is not of the form name=value"),
  ]

  @Test("options that make no sense are refused with the reason", arguments: specifications)
  func specification(_ item: (text: String, said: String)) {
    do throws(Diagnostic) {
      _ = try CacheSpecification(parsing: item.text, isTarget: true)
      Issue.record("it was read")
    } catch {
      #expect(error.message == "'--cache-to \(item.text)': \(item.said)")
    }
  }
}
