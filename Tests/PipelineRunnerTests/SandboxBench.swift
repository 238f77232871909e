import Glibc
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// A root made of busybox and a store to run commands in.
final class SandboxBench: Sendable {
  let tree: TemporaryTree
  let store: Store
  let base: FilePath

  /// What a command came to.
  struct Outcome {
    var status: PipelineRunner.ExitStatus
    var output: String
    var error: String
    /// The directory of what it changed; valid as long as the bench.
    var upper: FilePath
  }

  init() throws {
    tree = try TemporaryTree()
    store = try Store(at: tree.path.appending("store"))
    base = try Self.makeBase(in: tree)
  }

  /// A root with busybox under its most used names, and three users.
  static func makeBase(in tree: TemporaryTree) throws -> FilePath {
    let base = try tree.directory("base")
    let binary = try FileContent.read("/bin/busybox")
    try tree.file(bytes: Array("base/bin/busybox".utf8), binary, mode: 0o755)
    for name in applets { try tree.symlink("base/bin/\(name)", to: "busybox") }
    try tree.file(
      "base/etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n")
    try tree.file("base/etc/group", "root:x:0:\napp:x:1000:\naudio:x:29:app\n")
    try tree.directory("base/tmp", mode: 0o1777)
    return base
  }

  private static let applets = [
    "sh", "cat", "chmod", "chown", "cp", "dd", "df", "echo", "env", "find", "grep", "head",
    "hostname", "id", "ifconfig", "ip", "kill", "ln", "ls", "mkdir", "mknod", "mount", "mv", "nc",
    "ps", "pwd", "readlink", "rm", "rmdir", "sed", "seq", "setsid", "sleep", "sort", "stat",
    "test", "touch", "tr", "true", "umount", "unshare", "wc", "yes", "chroot", "sysctl", "date",
    "nslookup", "ping", "tail", "su",
  ]

  /// A request for a shell script.
  func request(
    _ script: String, over layers: [FilePath] = [], _ change: (inout RunRequest) -> Void = { _ in }
  ) -> RunRequest {
    var request = RunRequest(
      root: RootTree([base] + layers),
      arguments: ["/bin/sh", "-c", script].map { Array($0.utf8) },
      environment: [Array("PATH=/usr/bin:/bin".utf8)], workingDirectory: Array("/".utf8), user: "",
      mounts: [], network: .host)
    change(&request)
    return request
  }

  func run(_ request: RunRequest) async throws -> Outcome {
    let workspace = try store.makeWorkspace(below: request.root)
    let collected = Mutex<[[UInt8]]>([[], []])
    let status = try await store.sandbox.run(request, in: workspace) {
      stream, bytes in
      collected.withLock { $0[stream == .standardOutput ? 0 : 1] += Array(bytes) }
    }
    let streams = collected.withLock { $0 }.map { String(decoding: $0, as: UTF8.self) }
    return Outcome(
      status: status, output: streams[0], error: streams[1], upper: workspace.upper)
  }

  func run(
    _ script: String, over layers: [FilePath] = [], _ change: (inout RunRequest) -> Void = { _ in }
  ) async throws -> Outcome {
    try await run(request(script, over: layers, change))
  }

  /// The message of the diagnostic that a request ends in.
  func failure(_ request: RunRequest) async -> String {
    do {
      let outcome = try await run(request)
      return "no error: \(outcome.status) \(outcome.output)\(outcome.error)"
    } catch let error as Diagnostic {
      return error.message
    } catch {
      return "\(error)"
    }
  }

  /// The paths in a directory, sorted, `/` after directories.
  static func list(_ directory: FilePath, _ prefix: String = "") throws -> [String] {
    var found: [String] = []
    for name in try DirectoryTree.names(in: directory).sorted() {
      let path = directory.appending(name)
      let isDirectory = path.status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
      found.append(prefix + name + (isDirectory ? "/" : ""))
      if isDirectory { found += try list(path, prefix + name + "/") }
    }
    return found
  }
}
