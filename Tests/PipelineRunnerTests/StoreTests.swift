import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("The store")
struct StoreTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func open() throws -> Store {
    try Store(at: directory.path.appending("store"))
  }

  private func layer(_ byte: UInt8) -> LayerID {
    LayerID(Digest(bytes: [UInt8](repeating: byte, count: 32)))
  }

  @Test("a workspace becomes a layer, and the layer is found again")
  func adoptsLayers() throws {
    let store = try open()
    let workspace = try store.makeWorkspace(below: .empty)
    try FileContent.write(workspace.upper.appending("file"), Array("hello".utf8))
    try store.adopt(workspace, as: layer(1))
    store.remove(workspace)
    let info = try #require(try open().info(of: layer(1)))
    #expect(info.size == 5)
    #expect(info.entries == 1)
    let content = try FileContent.read(store.directory(of: layer(1)).appending("file"))
    #expect(content == Array("hello".utf8))
    #expect(try DirectoryTree.names(in: store.path.appending("work")).isEmpty)
  }

  @Test("many open a new store at once, and all can use it")
  func concurrentOpening() async throws {
    let path = directory.path.appending("store")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<32 {
        group.addTask {
          try await blocking {
            let store = try Store(at: path)
            store.remove(try store.makeWorkspace(below: .empty))
          }
        }
      }
      try await group.waitForAll()
    }
    for name in ["sandbox/points/dev", "sandbox/points/etc/hosts", "sandbox/root"] {
      let status = try #require(path.pushing(FilePath(name)).status)
      #expect(status.st_mode & 0o777 == (name.hasSuffix("hosts") ? 0o644 : 0o755))
    }
  }

  @Test("a tree that somebody else removes meanwhile is removed")
  func concurrentRemoval() async throws {
    let tree = directory.path.appending("tree")
    for folder in 0..<40 {
      for inner in 0..<10 {
        try DirectoryTree.make(tree.appending("\(folder)").appending("\(inner)"), mode: 0o755)
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try await blocking { try DirectoryTree.remove(tree) } } }
      try await group.waitForAll()
    }
    #expect(tree.status == nil)
  }

  @Test("a layer that is there is kept, whoever makes it again")
  func keepsTheFirstLayer() throws {
    let store = try open()
    for text in ["first", "second"] {
      let workspace = try store.makeWorkspace(below: .empty)
      try FileContent.write(workspace.upper.appending("file"), Array(text.utf8))
      try store.adopt(workspace, as: layer(2))
      store.remove(workspace)
    }
    let content = try FileContent.read(store.directory(of: layer(2)).appending("file"))
    #expect(content == Array("first".utf8))
  }

  @Test("a layer whose filling fails leaves nothing")
  func failedLayerLeavesNothing() throws {
    let store = try open()
    #expect(throws: SystemError.self) {
      try store.addLayer(layer(3)) { upper in
        try FileContent.write(upper.appending("half"), [1])
        throw SystemError("unpack", code: EIO)
      }
    }
    #expect(try store.info(of: layer(3)) == nil)
    #expect(try DirectoryTree.names(in: store.path.appending("work")).isEmpty)
    #expect(try DirectoryTree.names(in: store.path.appending("layers")).isEmpty)
  }

  @Test("what a dead process left is swept, what a living one has is kept")
  func sweeps() throws {
    let store = try open()
    let living = try store.makeWorkspace(below: .empty)
    // A killed process leaves its directory and a lock that nobody holds.
    let dead = store.path.appending("work").appending("dead")
    try DirectoryTree.make(dead.appending("upper").appending("deep"), mode: 0o755)
    try FileContent.write(FilePath(dead.string + ".lock"), [])
    _ = try open()
    let names = try DirectoryTree.names(in: store.path.appending("work")).sorted()
    let name = try #require(living.path.lastComponent).string
    #expect(names == [name, "\(name).lock"].sorted())
    store.remove(living)
  }

  @Test("a store of another format is refused by name")
  func refusesOtherFormats() throws {
    let path = directory.path.appending("store")
    try DirectoryTree.make(path, mode: 0o755)
    try FileContent.write(path.appending("format"), Array("something else 9\n".utf8))
    let error = #expect(throws: Diagnostic.self) { try open() }
    #expect(error?.message.contains("'something else 9'") == true)
    #expect(error?.help != nil)
  }

  @Test(
    "a store of another version says which, and what to do",
    arguments: [
      (
        9, "has format 9; this version reads format 1",
        "a newer version wrote it: update this one, or give another --state-dir"
      ),
      (
        0, "has format 0; this version reads format 1",
        "it is a cache of an older version: remove the directory, or give another --state-dir"
      ),
    ])
  func refusesOtherVersions(_ version: Int, _ message: String, _ help: String) throws {
    let path = directory.path.appending("store")
    try DirectoryTree.make(path, mode: 0o755)
    try FileContent.write(path.appending("format"), Array("pipeline store \(version)\n".utf8))
    let error = #expect(throws: Diagnostic.self) { try open() }
    #expect(error?.message == "the store at '\(path)' \(message)")
    #expect(error?.help == help)
  }

  @Test("records come back whole, and garbage reads as nothing known")
  func records() throws {
    let store = try open()
    var key = CacheKey("test")
    key.add("a", "b")
    let record = Record(layer: layer(4), created: 7, seconds: 0.5, parts: key.parts)
    try store.setRecord(record, for: key.digest)
    #expect(try store.record(for: key.digest) == record)
    let file = store.path.appending("records").appending(String(key.digest.hex.prefix(2)))
      .appending(key.digest.hex)
    try FileContent.write(file, Array("{\"layer\"".utf8))
    #expect(try store.record(for: key.digest) == nil)
  }

  @Test("one claim at a time on a key, and a released one is free at once")
  func claims() async throws {
    let store = try open()
    let key = SHA256Hasher.digest(of: [1])
    var claim: FileLock? = try await store.claim(key)
    let path = store.path.appending("claims")
    let offset = Store.lockOffset(key)
    #expect(try FileLock.attempt(path, at: offset) == nil)
    #expect(try FileLock.attempt(path, at: offset + 1) != nil)
    withExtendedLifetime(claim) {}
    claim = nil
    #expect(try FileLock.attempt(path, at: offset) != nil)
  }

  @Test("trees deeper than a process may hold open are removed")
  func removesDeepTrees() throws {
    let top = directory.path.appending("deep")
    try DirectoryTree.make(top, mode: 0o755)
    var current = open(top)
    for _ in 0..<3000 {
      #expect(mkdirat(current, "d", 0o755) == 0)
      let next = openat(current, "d", O_RDONLY | O_DIRECTORY)
      close(current)
      current = next
    }
    close(current)
    try DirectoryTree.remove(top)
    var status = stat()
    #expect(top.withPlatformString { lstat($0, &status) } == -1)
  }

  private func open(_ path: FilePath) -> CInt {
    path.withPlatformString { Glibc.open($0, O_RDONLY | O_DIRECTORY) }
  }

  @Test("sizes count a hard-linked file once and follow no link")
  func measures() throws {
    let top = directory.path.appending("tree")
    try DirectoryTree.make(top, mode: 0o755)
    try FileContent.write(top.appending("a"), [1, 2, 3])
    #expect(link(top.appending("a").string, top.appending("b").string) == 0)
    #expect(symlink("/etc", top.appending("c").string) == 0)
    let usage = try DirectoryTree.usage(of: top)
    #expect(usage.bytes == 3)
    #expect(usage.entries == 3)
  }
}
