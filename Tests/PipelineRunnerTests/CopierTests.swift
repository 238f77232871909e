import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// A build context, some layers and a workspace: what one copy needs.
final class CopyBench: Sendable {
  let tree: TemporaryTree
  let empty: FilePath
  let context: FilePath
  let workspace: Workspace

  init() throws {
    tree = try TemporaryTree()
    empty = try tree.directory("empty")
    context = try tree.directory("context")
    workspace = Workspace(path: try tree.directory("workspace"))
    // A store makes it private: the copier has to give the merged root its own mode.
    try tree.directory("workspace/upper", mode: 0o700)
    try tree.directory("workspace/work")
  }

  /// Where a copy put something.
  func result(_ path: String) -> FilePath { tree["workspace/upper/\(path)"] }

  func request(
    _ sources: [String], to destination: String, over layers: [FilePath] = [],
    ignore: IgnorePatterns? = nil, _ change: (inout CopyRequest) -> Void = { _ in }
  ) -> CopyRequest {
    var request = CopyRequest(
      root: RootTree(layers),
      sources: sources.map {
        .context(ContextTree(context, ignore: ignore), path: Array($0.utf8))
      }, destination: Array(destination.utf8), workingDirectory: Array("/".utf8))
    change(&request)
    return request
  }

  func copy(_ request: CopyRequest) throws {
    try Copier(empty: empty).copy(request, into: workspace)
  }

  func copy(
    _ sources: [String], to destination: String, over layers: [FilePath] = [],
    _ change: (inout CopyRequest) -> Void = { _ in }
  ) throws {
    try copy(request(sources, to: destination, over: layers, change))
  }

  /// The message of the diagnostic that a copy ends in.
  func failure(_ request: CopyRequest) -> String {
    do {
      try copy(request)
      return "no error"
    } catch let error as Diagnostic {
      return error.message
    } catch {
      return "\(error)"
    }
  }
}

@Suite struct CopierTests {
  let bench: CopyBench
  var tree: TemporaryTree { bench.tree }

  init() throws {
    bench = try CopyBench()
  }

  @Test("a file lands with its bytes, mode and time, owned by root (C5, C7)")
  func file() throws {
    try tree.file("context/a", "hello", mode: 0o640)
    try tree.chown("context/a", 1000, 1000)
    try tree.setTimes("context/a", 1_234_567_890, 123_456_789)
    try bench.copy(["a"], to: "/new/deep/b")
    let status = try #require(bench.result("new/deep/b").status)
    #expect(bench.result("new/deep/b").text == "hello")
    #expect(status.st_mode & 0o7777 == 0o640)
    #expect(status.st_uid == 0 && status.st_gid == 0)
    #expect(status.st_mtim.tv_sec == 1_234_567_890 && status.st_mtim.tv_nsec == 123_456_789)
    #expect(bench.result("new").mode == 0o755)
    #expect(bench.result("").mode == 0o755)
  }

  @Test("a directory's contents land; it does not (C3)")
  func directoryContents() throws {
    try tree.file("context/src/a", "1")
    try tree.file("context/src/sub/b", "2", mode: 0o600)
    try tree.directory("context/src/empty", mode: 0o711)
    try tree.setTimes("context/src/sub", 5000, 7)
    try tree.setTimes("context/src", 6000, 8)
    chmod(tree["context/src"].string, 0o700)
    try bench.copy(["src"], to: "/d")
    #expect(bench.result("d/a").text == "1")
    #expect(bench.result("d/sub/b").mode == 0o600)
    #expect(bench.result("d/empty").mode == 0o711)
    #expect(bench.result("d").mode == 0o755)
    #expect(bench.result("d/sub").status?.st_mtim.tv_sec == 5000)
    #expect(bench.result("d").status?.st_mtim.tv_sec == 6000)
    #expect(try TemporaryTree.children(bench.result("d")).count == 3)
  }
}
