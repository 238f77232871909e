import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Cache mounts on their way between two machines, which are two stores here.
@Suite struct MountTransferTests {
  private func site(_ sharing: String = "shared") throws -> CacheSite {
    let site = try CacheSite(base: "base")
    try write(site, sharing)
    return site
  }

  /// A step that shows what is in its mounts, and leaves something there.
  private func write(_ site: CacheSite, _ sharing: String = "shared") throws {
    try site.directory.write(
      "Dockerfile",
      """
      FROM base
      COPY file /file
      RUN --mount=type=cache,id=a/../b,target=/a,uid=7,mode=0750,sharing=\(sharing) \\
          --mount=type=cache,target=/b \\
          /bin/busybox ls -lnR /a > /found; cat /b/data >> /found; \\
          mkdir -p /a/d && cat /file > /a/d/data && \\
          /bin/busybox chown 5:6 /a/d/data && chmod 4711 /a/d/data && ln -f /a/d/data /a/same && ln -sf /nowhere /a/link && \\
          cat /file > /b/data
      """)
  }

  private func found(_ site: CacheSite, _ machine: String, _ arguments: String...) async throws
    -> [String]
  {
    let out = site.directory.path.appending("\(machine).out")
    try? DirectoryTree.remove(out)
    try await site.build(machine, arguments + ["-o", "type=local,dest=\(out)"])
    return String(decoding: try FileContent.read(out.appending("found")), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }

  private func check(_ site: CacheSite, to target: String, from source: String) async throws {
    #expect(
      try await found(site, "first", "--cache-to", "\(target),cache-mounts=true")
        == ["/a:", "total 0"])
    // The other machine has to run the step, and finds what the first one left.
    try site.directory.write("context/file", "two\n")
    let lines = try await found(site, "second", "--cache-from", source)
    #expect(lines.last == "one")
    for part in ["drwxr-xr-x", "-rws--x--x    2 5        6 ", "lrwxrwxrwx"] {
      #expect(lines.contains { $0.contains(part) }, "\(part) in \(lines)")
    }
    // What it has by now is its own.
    try site.directory.write("context/file", "three\n")
    #expect(try await found(site, "second", "--cache-from", source).last == "two")
    // Who asks for one mount gets the others from whoever wrote them.
    try await site.build("second", "--cache-to", "\(target),cache-mounts=a/../b")
    try site.directory.write("context/file", "four\n")
    let third = try await found(site, "third", "--cache-from", source)
    #expect(third.last == "one")
    let directory = site.store("third").appending("caches")
    let contents = try DirectoryTree.names(in: directory).map { name in
      try FileContent.readIfPresent(directory.appending(name).appending("d/data"))
    }
    #expect(contents.contains(Array("four\n".utf8)))
    // The mount's own attributes are those that the step asks for.
    var status = stat()
    for name in try DirectoryTree.names(in: directory) {
      _ = directory.appending(name).withPlatformString { lstat($0, &status) }
      #expect(
        (status.st_uid, status.st_mode & 0o7777) == (7, 0o750)
          || (status.st_uid, status.st_mode & 0o7777) == (0, 0o755))
    }
  }

  @Test("an empty mount is filled from a registry", arguments: ["shared", "locked"])
  func registry(_ sharing: String) async throws {
    let registry = try DockerRegistry()
    let cache = "type=registry,ref=\(registry.host)/cache:main"
    try await check(try site(sharing), to: cache, from: cache)
  }

  @Test("an empty mount is filled from a directory")
  func local() async throws {
    let site = try site()
    let folder = site.directory.path.appending("cache")
    try await check(site, to: "type=local,dest=\(folder)", from: "type=local,src=\(folder)")
  }

  @Test("nothing of a mount is written that nobody asks for")
  func unasked() async throws {
    let site = try site()
    let folder = site.directory.path.appending("cache")
    for option in ["", ",cache-mounts=false", ",cache-mounts=other"] {
      try await site.build("first", "--cache-to", "type=local,dest=\(folder)\(option)")
    }
    let document = try #require(
      try CacheDocument(at: LocalCachePlace(directory: folder, tag: "latest")))
    #expect(document.mounts == nil)
  }

  @Test("what cannot be fetched leaves the mount empty, and the build goes on")
  func damaged() async throws {
    let site = try site()
    let folder = site.directory.path.appending("cache")
    try await site.build("first", "--cache-to", "type=local,dest=\(folder),cache-mounts=true")
    let document = try #require(
      try CacheDocument(at: LocalCachePlace(directory: folder, tag: "latest")))
    let mounts = try #require(document.mounts)
    #expect(Set(mounts.map(\.id)) == ["/b", "a/../b"])
    let blobs = folder.appending("blobs/sha256")
    for (index, mount) in mounts.enumerated() {
      let file = blobs.appending(mount.packed.descriptor.digest.hex)
      if index == 0 {
        _ = file.withPlatformString { unlink($0) }
      } else {
        try FileContent.write(file, [1, 2, 3])
      }
    }
    try site.directory.write("context/file", "two\n")
    #expect(
      try await found(site, "second", "--cache-from", "type=local,src=\(folder)")
        == ["/a:", "total 0"])
    #expect(try DirectoryTree.names(in: site.store("second").appending("work")).isEmpty)
  }

  @Test(
    "a mount that a step has open is not filled under it, and who comes while it is filled waits")
  func users() async throws {
    let directory = try TemporaryDirectory()
    let store = try Store(at: directory.path.appending("store"))
    let cache = CacheAction(
      id: "c", seed: nil, source: "", target: "/c", isReadOnly: false, sharing: .shared,
      mode: 0o755, uid: 0, gid: 0)
    let identity = CacheMounts.identity("c", platform: .current)
    // Another machine's mount, as a layer in a layout.
    let tree = directory.path.appending("tree")
    try directory.write("tree/data", "theirs")
    let layout = directory.path.appending("layout")
    let file = directory.path.appending("blob")
    let packed = try LayerPacker(empty: store.empty).packTree(tree, into: file)
    var document = CacheDocument()
    document.mounts = [
      .init(identity: identity, id: "c", platform: "\(Platform.current)", packed: packed)
    ]
    let place = LocalCachePlace(directory: layout, tag: "latest")
    try await place.add(
      document, blobs: [.init(descriptor: packed.descriptor, origin: nil) { file }],
      scratch: directory.path)
    var warnings: [Diagnostic] = []
    let imported = try ImportedCache([("x", place)], warnings: &warnings)
    var user = CacheMounts(store: store, platform: .current)
    try await user.open(cache) { _ in false }
    var other = CacheMounts(store: store, platform: .current, imported: imported)
    try await other.open(cache) { _ in false }
    #expect(try DirectoryTree.isEmpty(store.path(of: .cache(identity))))
    other.close()
    user.close()
    // Both at once: each finds it filled, whoever filled it.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var mounts = CacheMounts(store: store, platform: .current, imported: imported)
          try await mounts.open(cache) { _ in false }
          let data = mounts.directory(of: cache).appending("data")
          #expect(try FileContent.read(data) == Array("theirs".utf8))
          mounts.close()
        }
      }
      try await group.waitForAll()
    }
  }
}
