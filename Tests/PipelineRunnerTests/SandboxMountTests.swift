import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct SandboxMountTests {
  let bench: SandboxBench

  init() throws {
    bench = try SandboxBench()
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func mounting(
    _ mounts: SandboxMount..., script: String
  ) -> RunRequest {
    bench.request(script) { $0.mounts = mounts }
  }

  private func stage() throws -> RootTree {
    try bench.tree.file("stage/data/file", "from the stage\n")
    try bench.tree.symlink("stage/link", to: "/data")
    return RootTree([bench.tree["stage"]])
  }

  // MARK: - Trees

  @Test("a stage is mounted read-only, whole or a part of it")
  func tree() async throws {
    let stage = try stage()
    let outcome = try await bench.run(
      mounting(
        .tree(stage, source: [], target: bytes("/all"), isReadOnly: true),
        .tree(stage, source: bytes("/data"), target: bytes("/part"), isReadOnly: true),
        .tree(stage, source: bytes("link/file"), target: bytes("/one"), isReadOnly: true),
        script: "cat /all/data/file /part/file /one; touch /all/x || touch /part/x || touch /one"))
    #expect(outcome.output == "from the stage\nfrom the stage\nfrom the stage\n")
    #expect(
      outcome.error.split(separator: "\n").allSatisfy { $0.hasSuffix("Read-only file system") })
    #expect(outcome.status == .exited(1))
    #expect(try SandboxBench.list(outcome.upper) == [])
  }

  @Test("writes to a bind mount with rw are thrown away (R6)")
  func writableTree() async throws {
    let stage = try stage()
    let outcome = try await bench.run(
      mounting(
        .tree(stage, source: bytes("/data"), target: bytes("/mnt"), isReadOnly: false),
        script: "echo changed > /mnt/file; echo new > /mnt/new; cat /mnt/file /mnt/new"))
    #expect(outcome.output == "changed\nnew\n")
    #expect(try SandboxBench.list(outcome.upper) == [])
    #expect(bench.tree["stage/data/file"].text == "from the stage\n")
    #expect(try SandboxBench.list(bench.tree["stage"]) == ["data/", "data/file", "link"])
  }

  @Test("a source that is not there is an error")
  func missingSource() async throws {
    let request = mounting(
      .tree(try stage(), source: bytes("/nope"), target: bytes("/mnt"), isReadOnly: true),
      script: "true")
    #expect(
      await bench.failure(request) == "'/nope' was not found in the source image or stage")
  }

  // MARK: - Contexts

  @Test("the context appears without what the ignore file excludes, owned by root")
  func context() async throws {
    try bench.tree.file("context/a.txt", "a\n")
    try bench.tree.file("context/sub/b.txt", "b\n")
    try bench.tree.chown("context/a.txt", 1234, 1234)
    let context = ContextTree(bench.tree["context"])
    let outcome = try await bench.run(
      mounting(
        .context(context, source: [], target: bytes("/src"), isReadOnly: true),
        script: "cd /src; find . -type f | sort; stat -c %u:%g a.txt; touch x"))
    #expect(outcome.output == "./a.txt\n./sub/b.txt\n0:0\n")
    #expect(outcome.error.hasSuffix("Read-only file system\n"))
    #expect(bench.tree["context/a.txt"].status?.st_uid == 1234)
  }

  @Test("writes to the context are thrown away and never reach the machine (threat 17)")
  func writableContext() async throws {
    try bench.tree.file("context/a.txt", "a\n")
    let context = ContextTree(bench.tree["context"])
    for source in ["", "a.txt"] {
      let target = source.isEmpty ? "/src" : "/src/a.txt"
      let outcome = try await bench.run(
        mounting(
          .context(context, source: bytes(source), target: bytes(target), isReadOnly: false),
          script: "echo changed > /src/a.txt; cat /src/a.txt"))
      #expect(outcome.output == "changed\n")
      #expect(try SandboxBench.list(outcome.upper) == [])
    }
    #expect(try SandboxBench.list(bench.tree["context"]) == ["a.txt"])
    #expect(bench.tree["context/a.txt"].text == "a\n")
  }

  @Test("a link of the context that leads to the machine's root stays in the context (threat 9)")
  func contextLink() async throws {
    try bench.tree.file("context/etc/passwd", "inside\n")
    try bench.tree.symlink("context/lnk", to: "/")
    let context = ContextTree(bench.tree["context"])
    let outcome = try await bench.run(
      mounting(
        .context(context, source: bytes("lnk"), target: bytes("/src"), isReadOnly: true),
        script: "cat /src/etc/passwd"))
    #expect(outcome.output == "inside\n")
  }

  // MARK: - Others

  @Test("a cache keeps what is written, and can be mounted in part")
  func cache() async throws {
    let directory = try bench.tree.directory("cache/sub").removingLastComponent()
    let first = try await bench.run(
      mounting(
        .cache(directory: directory, source: [], target: bytes("/c"), isReadOnly: false),
        script: "echo kept > /c/sub/file"))
    #expect(first.status == .exited(0))
    #expect(try SandboxBench.list(first.upper) == [])
    let second = try await bench.run(
      mounting(
        .cache(directory: directory, source: bytes("sub"), target: bytes("/c"), isReadOnly: true),
        script: "cat /c/file; touch /c/x"))
    #expect(second.output == "kept\n")
    #expect(second.error.hasSuffix("Read-only file system\n"))
  }

  @Test("a tmpfs has the size asked for and is gone afterwards")
  func tmpfs() async throws {
    let outcome = try await bench.run(
      mounting(
        .tmpfs(target: bytes("/t/x"), size: 1 << 20),
        script:
          "touch /t/x/file; df -k /t/x | tail -1 | tr -s ' ' | sed 's/.* \\(1024\\) .*/\\1/'; "
          + "stat -c %a /t/x"))
    #expect(outcome.output == "1024\n1777\n")
    #expect(try SandboxBench.list(outcome.upper) == [])
  }

  @Test("a secret has its owner and mode, and is in no layer (threat 22)")
  func secret() async throws {
    let outcome = try await bench.run(
      mounting(
        .file(
          content: bytes("hidden"), target: bytes("/run/secrets/key"), mode: 0o400, uid: 12,
          gid: 34),
        script:
          "cat /run/secrets/key; stat -c ' %a %u:%g' /run/secrets/key; echo x > /run/secrets/key"))
    #expect(outcome.output == "hidden 400 12:34\n")
    #expect(outcome.error.contains("Read-only file system"))
    #expect(try SandboxBench.list(outcome.upper) == [])
    #expect(try SandboxBench.list(outcome.upper.removingLastComponent()).contains("key") == false)
  }

  @Test("what a step puts beside a mount point stays, with the parent that was made for it")
  func besideMountPoint() async throws {
    let outcome = try await bench.run(
      mounting(
        .file(content: bytes("x"), target: bytes("/run/secrets/key"), mode: 0o400, uid: 0, gid: 0),
        script: "echo kept > /run/secrets/other"))
    #expect(outcome.status == .exited(0))
    #expect(
      try SandboxBench.list(outcome.upper) == ["run/", "run/secrets/", "run/secrets/other"])
  }

  @Test("a script in a here-document can be executed")
  func script() async throws {
    var request = mounting(
      .file(
        content: bytes("#!/bin/sh\necho from the script\n"), target: bytes("/dev/pipes/EOF"),
        mode: 0o755, uid: 0, gid: 0), script: "")
    request.arguments = [bytes("/dev/pipes/EOF")]
    #expect(try await bench.run(request).output == "from the script\n")
  }

  @Test("a mount inside another mount has its mount point made there")
  func nested() async throws {
    let stage = try stage()
    let outcome = try await bench.run(
      mounting(
        .tmpfs(target: bytes("/t"), size: nil),
        .tree(stage, source: bytes("data"), target: bytes("/t/a/b"), isReadOnly: true),
        .file(content: bytes("x\n"), target: bytes("/t/a/c"), mode: 0o444, uid: 0, gid: 0),
        script: "cat /t/a/b/file /t/a/c"))
    #expect(outcome.output == "from the stage\nx\n")
    let refused = mounting(
      .tree(stage, source: [], target: bytes("/s"), isReadOnly: true),
      .tmpfs(target: bytes("/s/new"), size: nil), script: "true")
    #expect(
      await bench.failure(refused)
        == "nothing can be mounted at '/s/new': it is missing in what is mounted at '/s', which is read-only"
    )
  }

  @Test("a target is followed through the links of the root, dangling ones included")
  func linkedTarget() async throws {
    try bench.tree.symlink("base/var", to: "/data/../deep")
    let outcome = try await bench.run(
      mounting(
        .file(content: bytes("x\n"), target: bytes("/var/a"), mode: 0o444, uid: 0, gid: 0),
        script: "cat /deep/a; readlink /var"))
    #expect(outcome.output == "x\n/data/../deep\n")
    #expect(try SandboxBench.list(outcome.upper) == [])
  }

  @Test("parents of mount points look as they do in the image, and keep their times")
  func parents() async throws {
    try bench.tree.directory("base/opt", mode: 0o750)
    try bench.tree.chown("base/opt", 7, 8)
    try bench.tree.setTimes("base/opt", 1000, 5)
    let outcome = try await bench.run(
      mounting(
        .file(content: bytes("x\n"), target: bytes("/opt/a"), mode: 0o444, uid: 0, gid: 0),
        script: "stat -c '%a %u:%g %Y' /opt; touch /opt/b"))
    #expect(outcome.output == "750 7:8 1000\n")
    let status = outcome.upper.appending("opt").status
    #expect(status?.st_uid == 7)
    #expect((status?.st_mode ?? 0) & 0o7777 == 0o750)
  }

  @Test("an agent's socket has the owner and mode asked for")
  func agent() async throws {
    let agent = try FakeAgent(at: bench.tree.path.appending("agent"))
    let outcome = try await bench.run(
      mounting(
        .socket(agent.path, target: bytes("/run/agent"), mode: 0o600, uid: 1000, gid: 1000),
        script: "stat -c '%a %u:%g %F' /run/agent"))
    #expect(outcome.output == "600 1000:1000 socket\n")
    #expect(try SandboxBench.list(outcome.upper) == [])
  }
}

/// A socket that somebody listens at.
private final class FakeAgent {
  let path: FilePath
  private let socket: OwnedDescriptor

  init(at path: FilePath) throws {
    self.path = path
    socket = OwnedDescriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.bytes) }
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0, listen(socket.raw, 4) == 0 else { throw SystemError("bind") }
  }
}
