import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Digests of what a copy takes")
struct ContentDigestTests {
  let bench: CopyBench
  var tree: TemporaryTree { bench.tree }

  init() throws {
    bench = try CopyBench()
    try tree.file("context/src/a", "one")
    try tree.file("context/src/sub/b", "two")
    try tree.file("context/other", "three")
  }

  private func digest(
    _ sources: [String], ignore: IgnorePatterns? = nil, memo: ContextMemo? = nil,
    _ change: (inout CopyRequest) -> Void = { _ in }
  ) throws -> Digest {
    try ContentDigest(empty: bench.empty).digest(
      of: bench.request(sources, to: "/d/", ignore: ignore, change), memo: memo)
  }

  @Test("touching hits; content, names, modes of files and directories miss (K4)")
  func whatCounts() throws {
    let first = try digest(["src"])
    try tree.setTimes("context/src/a", 5)
    try tree.setTimes("context/src/sub", 5)
    try tree.chown("context/src/a", 1000, 1000)
    try tree.file("context/other", "changed")
    #expect(try digest(["src"]) == first)
    var seen: Set<Digest> = [first]
    chmod(tree["context/src/a"].string, 0o755)
    #expect(try seen.insert(digest(["src"])).inserted)
    chmod(tree["context/src/sub"].string, 0o700)
    #expect(try seen.insert(digest(["src"])).inserted)
    rename(tree["context/src/a"].string, tree["context/src/A"].string)
    #expect(try seen.insert(digest(["src"])).inserted)
    try tree.file("context/src/new")
    #expect(try seen.insert(digest(["src"])).inserted)
    try tree.file("context/src/new", "x")
    #expect(try seen.insert(digest(["src"])).inserted)
  }

  @Test("a mode or owner that is replaced does not count (K4)")
  func overridden() throws {
    func both() throws -> (Digest, Digest) {
      (
        try digest(["src"]) { $0.mode = "755" },
        try digest(["src"]) {
          $0.mode = "u=rwX,go=rX"
          $0.owner = "5:6"
        }
      )
    }
    let first = try both()
    chmod(tree["context/src/a"].string, 0o600)
    chmod(tree["context/src/sub"].string, 0o700)
    #expect(try both() == first)
    chmod(tree["context/src/a"].string, 0o711)
    #expect(try both().0 == first.0)
    #expect(try both().1 != first.1)
  }

  @Test("a source directory's own mode does not count, as the destination keeps its own (C6)")
  func topMode() throws {
    let first = try digest(["src"])
    chmod(tree["context/src"].string, 0o700)
    #expect(try digest(["src"]) == first)
    let source = CopyRequest.Source.context(
      ContextTree(bench.context), path: Array("src".utf8))
    let mount = try ContentDigest(empty: bench.empty).digest(of: source)
    chmod(tree["context/src"].string, 0o755)
    #expect(try ContentDigest(empty: bench.empty).digest(of: source) != mount)
  }

  @Test("wildcards cover the names that match, and what they hold (K6)")
  func wildcards() throws {
    let first = try digest(["s*"])
    rename(tree["context/src"].string, tree["context/srd"].string)
    #expect(try digest(["s*"]) != first)
    rename(tree["context/srd"].string, tree["context/src"].string)
    try tree.file("context/src/sub/b", "2")
    #expect(try digest(["s*"]) != first)
  }

  @Test("what an ignore file hides changes nothing (K6)")
  func ignored() throws {
    let ignore = try IgnorePatterns(file: Array("**/*.log\n".utf8), name: ".dockerignore")
    let first = try digest(["."], ignore: ignore)
    try tree.file("context/src/x.log", "noise")
    #expect(try digest(["."], ignore: ignore) == first)
    #expect(try digest(["."]) != first)
  }

  @Test("hard links that are kept are told from copies")
  func hardLinks() throws {
    try tree.file("context/links/a", "x")
    try tree.hardlink("context/links/b", to: "context/links/a")
    let first = try digest(["links"])
    unlink(tree["context/links/b"].string)
    try tree.file("context/links/b", "x")
    #expect(try digest(["links"]) != first)
  }

  @Test("a missing source is an error, never a digest (K12)")
  func missing() throws {
    let error = #expect(throws: Diagnostic.self) { try digest(["nothing"]) }
    #expect(error?.message == "'nothing' was not found in the build context")
  }

  @Test("names that are not UTF-8 and large files count to the last byte")
  func bytes() throws {
    try tree.file(bytes: Array("context/raw/".utf8) + [0xFF], [1])
    var large = [UInt8](repeating: 1, count: FileDigester.pieceSize + 1)
    try FileContent.write(tree["context/raw/large"], large)
    let first = try digest(["raw"])
    large[large.count - 1] = 2
    try FileContent.write(tree["context/raw/large"], large)
    let second = try digest(["raw"])
    let from = tree["context/raw"].appendingBytes([0xFF])
    let to = tree["context/raw"].appendingBytes([0xFE])
    #expect(from.withPlatformString { old in to.withPlatformString { rename(old, $0) } } == 0)
    let third = try digest(["raw"])
    #expect(Set([first, second, third]).count == 3)
  }

  // MARK: Memo

  private func memo() throws -> ContextMemo { try ContextMemo(at: tree["memo"]) }

  /// Waits until the clock that files get their times from is past what the finer one says now, as
  /// entries of now are not trusted and the kernel may give a file either time.
  private func letTheClockTick() {
    var start = timespec()
    clock_gettime(CLOCK_REALTIME, &start)
    var now = timespec()
    repeat {
      sched_yield()
      clock_gettime(CLOCK_REALTIME_COARSE, &now)
    } while (now.tv_sec, now.tv_nsec) <= (start.tv_sec, start.tv_nsec)
  }

  @Test("a memo changes no result, however it is damaged (K8)")
  func memoIsOptional() throws {
    letTheClockTick()
    let plain = try digest(["src", "other"])
    let first = try memo()
    #expect(try digest(["src", "other"], memo: first) == plain)
    try first.save()
    #expect(try digest(["src", "other"], memo: memo()) == plain)
    let good = try FileContent.read(tree["memo"])
    for bytes in [[], Array(good.prefix(1000)), good + [1], good.map { ~$0 }] {
      try FileContent.write(tree["memo"], bytes)
      #expect(try digest(["src", "other"], memo: memo()) == plain)
    }
  }

  @Test("a memo serves what did not change: the file is not read again")
  func memoServes() throws {
    letTheClockTick()
    let memo = try memo()
    let status = try #require(tree["context/other"].status)
    let plain = try digest(["other"], memo: memo)
    #expect(memo.value(of: status) != nil)
    #expect(try digest(["other"], memo: memo) == plain)
  }

  @Test("same size and same time with other bytes is a miss (buildkit#1368, K8)")
  func sameSizeAndTime() throws {
    letTheClockTick()
    let memo = try memo()
    let first = try digest(["other"], memo: memo)
    let status = try #require(tree["context/other"].status)
    letTheClockTick()
    try tree.file("context/other", "THREE")
    try tree.setTimes("context/other", Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
    #expect(try digest(["other"], memo: memo) != first)
  }

  @Test("a file that changed as late as the scan began is not remembered (K8)")
  func racy() throws {
    let memo = try memo()
    let status = try #require(tree["context/other"].status)
    memo.remember(FileValue(), of: status, ContextMemo.Scan(start: status.st_ctim))
    #expect(memo.value(of: status) == nil)
    var later = status.st_ctim
    later.tv_sec += 1
    memo.remember(FileValue(), of: status, ContextMemo.Scan(start: later))
    #expect(memo.value(of: status) != nil)
  }

  @Test("a memo grows and finds everything again")
  func grows() throws {
    let memo = try memo()
    var status = try #require(tree["context/other"].status)
    let scan = ContextMemo.Scan(start: timespec(tv_sec: status.st_ctim.tv_sec + 9, tv_nsec: 0))
    for inode in 1...5000 {
      status.st_ino = ino_t(inode)
      memo.remember(FileValue(digest: (UInt64(inode), 0, 0, 1)), of: status, scan)
    }
    try memo.save()
    let loaded = try self.memo()
    let values = (1...5000).compactMap { inode -> UInt64? in
      status.st_ino = ino_t(inode)
      return loaded.value(of: status)?.digest.0
    }
    #expect(values == Array(1...5000))
    status.st_size += 1
    #expect(loaded.value(of: status) == nil)
  }
}
