import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Collecting garbage")
struct GarbageCollectorTests {
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

  /// Makes a layer of `size` bytes that was last used at a time.
  private func add(
    _ byte: UInt8, size: Int = 1000, used: Int, to store: Store
  ) throws {
    let workspace = try store.makeWorkspace(below: .empty)
    try FileContent.write(
      workspace.upper.appending("file"), [UInt8](repeating: byte, count: size))
    try store.adopt(workspace, as: layer(byte), title: "RUN make \(byte)")
    store.remove(workspace)
    try setUse(.layer(layer(byte)), used, store)
  }

  private func setUse(_ entry: StoreEntry, _ seconds: Int, _ store: Store) throws {
    let time = timespec(tv_sec: seconds, tv_nsec: 0)
    #expect(utimensat(AT_FDCWD, store.mark(of: entry), [time, time], 0) == 0)
  }

  private func layers(_ store: Store) throws -> [UInt8] {
    try (1...9).filter { try store.info(of: layer($0)) != nil }
  }

  private func collect(
    _ policy: PrunePolicy, now: Double = 2000, free: Int64 = 0, files: Int64 = 0
  ) throws -> GarbageCollector.Result {
    // A collector of another process than the one that made the layers.
    var collector = GarbageCollector(store: try open())
    collector.now = now
    collector.space = FileSystemSpace(freeBytes: free, freeFiles: files)
    return try collector.collect(policy)
  }

  /// Layers 1 to 4, used at 1000, 1100 and so on, by a process that has ended.
  private func fill() throws {
    let store = try open()
    for byte in UInt8(1)...4 {
      try add(byte, used: 900 + Int(byte) * 100, to: store)
    }
  }

  @Test("everything that nothing needs goes, and what goes is told")
  func removesAll() throws {
    try fill()
    let result = try collect(PrunePolicy())
    #expect(try layers(open()) == [])
    #expect(result.freed == 4000)
    #expect(
      result.removed.map { "\($0.item.title): \($0.why)" } == [
        "RUN make 1: not used for 16 minutes", "RUN make 2: not used for 15 minutes",
        "RUN make 3: not used for 13 minutes", "RUN make 4: not used for 11 minutes",
      ])
    #expect(try DirectoryTree.names(in: open().path.appending("work")).isEmpty)
  }

  @Test("the longest unused go first, and only as many as the limit asks for")
  func limits() throws {
    try fill()
    #expect(try collect(PrunePolicy(maximumUsed: 2500)).removed.count == 2)
    #expect(try layers(open()) == [3, 4])
    #expect(try collect(PrunePolicy(maximumUsed: 2500)).removed.isEmpty)
    #expect(try collect(PrunePolicy(minimumFree: 5900), free: 5000).removed.count == 1)
    #expect(try layers(open()) == [4])
    #expect(try collect(PrunePolicy(minimumFreeFiles: 100), files: 100).removed.isEmpty)
    #expect(try collect(PrunePolicy(unusedFor: 701)).removed.isEmpty)
    #expect(try collect(PrunePolicy(unusedFor: 700)).removed.count == 1)
  }

  @Test("of what one build used, children go before what they lie on")
  func childrenFirst() throws {
    do {
      let store = try open()
      for byte in UInt8(1)...3 { try add(byte, used: 1000, to: store) }
    }
    let result = try collect(PrunePolicy(maximumUsed: 1000))
    #expect(result.removed.map(\.item.entry) == [.layer(layer(3)), .layer(layer(2))])
  }

  @Test("what a living process uses stays, and goes when the process is gone")
  func leases() throws {
    try fill()
    var builder: Store? = try open()
    #expect(try builder?.verify(layer(1)) == true)
    let result = try collect(PrunePolicy(isAll: true))
    #expect(try layers(open()) == [1])
    #expect(result.holders == 1)
    #expect(result.leftInUse == 1000)
    builder = nil
    #expect(try collect(PrunePolicy(isAll: true)).removed.count == 1)
    #expect(try layers(open()) == [])
  }

  @Test("layers of named images stay whatever is asked for")
  func namedImages() throws {
    try fill()
    let store = try open()
    let configuration = ImageConfiguration(
      created: nil, author: nil, architecture: "amd64", variant: nil, os: "linux", osVersion: nil,
      config: nil, rootfs: .init(diffIDs: []), history: nil)
    let variant = NamedImage.Variant(
      platform: "linux/amd64", id: layer(9).digest, configuration: configuration,
      layers: [layer(1), layer(2)])
    try store.setImage(NamedImage(name: "a", variants: [variant], created: 1))
    _ = try collect(PrunePolicy(isAll: true))
    #expect(try layers(store) == [1, 2])
    #expect(try store.removeImage(named: "a"))
    #expect(try !store.removeImage(named: "a"))
    _ = try collect(PrunePolicy())
    #expect(try layers(store) == [])
  }

  @Test("cache mounts go last, and only where all is to go or a limit asks for it")
  func cacheMounts() throws {
    try fill()
    let cache = StoreEntry.cache(layer(8).digest)
    let store = try open()
    try DirectoryTree.make(store.path(of: cache), mode: 0o755)
    try FileContent.write(store.path(of: cache).appending("data"), [1, 2, 3])
    try setUse(cache, 1, store)
    #expect(try collect(PrunePolicy()).removed.count == 4)
    #expect(try DirectoryTree.names(in: store.path.appending("caches")).count == 1)
    try fill()
    let result = try collect(PrunePolicy(maximumUsed: 0))
    #expect(result.removed.map(\.item.entry.kind) == [.layer, .layer, .layer, .layer, .cache])
  }

  @Test("a killed collector leaves trash that the next process sweeps")
  func trash() throws {
    try fill()
    let store = try open()
    #expect(try store.moveToTrash(.layer(layer(1))) != nil)
    #expect(try DirectoryTree.names(in: store.path.appending("work")).count == 1)
    #expect(try DirectoryTree.names(in: open().path.appending("work")).isEmpty)
    #expect(try layers(store) == [2, 3, 4])
  }

  @Test("collectors and builds beside each other: what a build found is there until it ends")
  func races() async throws {
    let path = directory.path.appending("store")
    let rounds = 30
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for _ in 0..<rounds {
          _ = try GarbageCollector(store: try Store(at: path)).collect(PrunePolicy(isAll: true))
          await Task.yield()
        }
      }
      for worker in 0..<2 {
        group.addTask {
          for round in 0..<rounds {
            let store = try Store(at: path)
            let layer = LayerID(Digest(bytes: [UInt8](repeating: UInt8(round % 5), count: 32)))
            if try !store.verify(layer) {
              try store.addLayer(layer) { try FileContent.write($0.appending("file"), [1]) }
            }
            for _ in 0..<5 {
              await Task.yield()
              let file = store.directory(of: layer).appending("file")
              #expect(try FileContent.readIfPresent(file) == [1], "\(worker) \(round)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("a store of many layers is emptied whole, and what is held or named in it stays")
  func many() throws {
    let count = 600
    var ids: [LayerID] = []
    do {
      let store = try open()
      for number in 0..<count {
        let workspace = try store.makeWorkspace(below: .empty)
        try FileContent.write(workspace.upper.appending("file"), Array("\(number)".utf8))
        let content = try LayerContent(of: workspace.upper)
        try store.adopt(workspace, as: content)
        store.remove(workspace)
        ids.append(content.id)
        let record = Record(layer: content.id, created: 1, seconds: 0, parts: [])
        try store.setRecord(record, for: SHA256Hasher.digest(of: Array("\(number)".utf8)))
      }
    }
    let inventory = try StoreInventory(open())
    #expect(Set(inventory.items.map(\.entry.digest)) == Set(ids.map(\.digest)))
    let builder = try open()
    #expect(try builder.verify(ids[550]))
    let result = try collect(PrunePolicy(isAll: true), now: 1e12)
    #expect(Set(result.removed.map(\.item.entry.digest)).count == count - 1)
    #expect(result.holders == 1)
    let store = try open()
    #expect(try DirectoryTree.names(in: store.path.appending("layers")) == [ids[550].digest.hex])
    #expect(try DirectoryTree.names(in: store.path.appending("work")).isEmpty)
    #expect(try store.files(in: "records").count == 1)
    withExtendedLifetime(builder) {}
  }

  @Test("work on many files keeps their order, and ends at a failure")
  func manyFiles() throws {
    let numbers = Array(0..<1000)
    #expect(
      try FileWork.compactMap(numbers) { $0 % 3 == 0 ? $0 : nil } == numbers.filter { $0 % 3 == 0 })
    #expect(throws: SystemError.self) {
      try FileWork.forEach(numbers) { if $0 == 500 { throw SystemError("x", code: EIO) } }
    }
  }

  @Test("sizes are read as people write them")
  func sizes() {
    #expect(ByteCount.parse("1000") == 1000)
    #expect(ByteCount.parse("10GB") == 10_000_000_000)
    #expect(ByteCount.parse("1.5 GiB") == 1_610_612_736)
    #expect(ByteCount.parse("2k") == 2000)
    #expect(ByteCount.parse("-1") == nil)
    #expect(ByteCount.parse("GB") == nil)
    #expect(ByteCount.parse("1ib") == nil)
    #expect(ByteCount.parse("1 apple") == nil)
  }
}
