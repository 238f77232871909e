import Glibc
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Images and steps that try to make the preparation of mounts reach the machine; numbers are
/// those of the threats.
@Suite struct SandboxRootThreatTests {
  let bench: SandboxBench
  /// A directory of the machine that must stay as it is.
  let canary: FilePath

  init() throws {
    bench = try SandboxBench()
    canary = try bench.tree.directory("canary")
    try bench.tree.file("canary/file", "canary\n")
    try bench.tree.file("canary/empty")
    try bench.tree.setTimes("canary/file", 1000)
    try bench.tree.setTimes("canary/empty", 1000)
    try bench.tree.setTimes("canary", 1000)
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func expectCanary() throws {
    #expect(try SandboxBench.list(canary) == ["empty", "file"])
    #expect(canary.appending("file").text == "canary\n")
    for path in [canary, canary.appending("file"), canary.appending("empty")] {
      #expect(path.status?.st_mtim.tv_sec == 1000)
    }
  }

  /// A layer in which names are links.
  private func layer(_ links: [String: String]) throws -> [FilePath] {
    let layer = try bench.tree.directory("links")
    for (name, target) in links {
      if name.contains("/") {
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        try bench.tree.directory("links/\(parent)")
      }
      try bench.tree.symlink("links/\(name)", to: target)
    }
    return [layer]
  }

  // MARK: - 11

  @Test("11: a working directory that leads through /proc is refused")
  func workingDirectoryThroughProc() async throws {
    let layers = try layer(["dst": "/proc/1/root"])
    for path in ["/dst", "/dst/tmp"] {
      let message = await bench.failure(
        bench.request("pwd", over: layers) { $0.workingDirectory = Array(path.utf8) })
      #expect(message == "the working directory '\(path)' leads out of the image")
    }
    try expectCanary()
  }

  // MARK: - 13, 14, 15

  @Test(
    "13: an image whose /dev, /proc or /sys is a link is refused",
    arguments: ["dev", "proc", "sys"])
  func linkedKernelDirectories(name: String) async throws {
    let layers = try layer([name: canary.string])
    #expect(
      await bench.failure(bench.request("true", over: layers))
        == "'/\(name)' in the image is a symbolic link; it has to be a directory")
    try expectCanary()
  }

  @Test("13: /etc and /run/secrets as links stay inside of the root")
  func linkedDirectories() async throws {
    let layers = try layer(["run/secrets": canary.string])
    let outcome = try await bench.run("cat /run/secrets/file; ls \(canary)", over: layers) {
      $0.mounts = [
        .file(
          content: Array("x\n".utf8), target: Array("/run/secrets/file".utf8), mode: 0o444, uid: 0,
          gid: 0)
      ]
    }
    #expect(outcome.output == "x\nfile\n")
    #expect(try SandboxBench.list(outcome.upper) == [])
    try expectCanary()
  }

  @Test("14: device files of the image are not used, be they links")
  func linkedDevices() async throws {
    let file = canary.appending("file").string
    let layers = try layer(["dev/null": file, "dev/console": file, "dev/pts": canary.string])
    let outcome = try await bench.run(
      "echo x > /dev/null; stat -c '%F %t:%T' /dev/null; ls -d /dev/console; ls /dev/pts; "
        + "for f in /proc/keys /proc/timer_list; do cat $f; done", over: layers)
    #expect(outcome.output == "character special file 1:3\nptmx\n")
    #expect(outcome.error == "ls: /dev/console: No such file or directory\n")
    try expectCanary()
  }

  @Test(
    "15: links in place of resolv.conf and hosts are resolved in the root",
    arguments: ["/canary", "../../../../../..", "nowhere/deep"])
  func linkedResolver(parent: String) async throws {
    let target = parent == "/canary" ? canary.string : parent
    let layers = try layer([
      "etc/resolv.conf": "\(target)/file", "etc/hosts": "\(target)/empty",
    ])
    let outcome = try await bench.run("cat /etc/hosts | wc -l; echo x > /etc/hosts", over: layers)
    #expect(outcome.output == "2\n")
    #expect(outcome.error.contains("Read-only file system"))
    #expect(try SandboxBench.list(outcome.upper) == [])
    try expectCanary()
  }

  @Test("15: a directory in place of resolv.conf is an error that says so")
  func resolverDirectory() async throws {
    try bench.tree.directory("base/etc/resolv.conf")
    #expect(
      await bench.failure(bench.request("true"))
        == "'/etc/resolv.conf' in the image is a directory, and a file is to be mounted there")
  }

  // MARK: - 16, 17

  @Test("16: no descriptor of the builder is a way out")
  func descriptors() async throws {
    for number in [3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200] {
      let message = await bench.failure(
        bench.request("pwd") { $0.workingDirectory = Array("/proc/self/fd/\(number)".utf8) })
      #expect(
        message == "the working directory '/proc/self/fd/\(number)' leads out of the image"
          || message == "the sandbox cannot be set up: chdir '/proc/self/fd/\(number)': "
            + "No such file or directory"
      )
    }
  }

  @Test("17: the source of a writable mount that is a link to / is the root of its own tree")
  func linkedSource() async throws {
    try bench.tree.directory("stage")
    try bench.tree.symlink("stage/lnk", to: "/")
    try bench.tree.file("stage/mark", "stage\n")
    let outcome = try await bench.run("ls /m; echo x > /m/new") {
      $0.mounts = [
        .tree(
          RootTree([bench.tree["stage"]]), source: Array("/lnk".utf8), target: Array("/m".utf8),
          isReadOnly: false)
      ]
    }
    #expect(outcome.output == "lnk\nmark\n")
    #expect(try SandboxBench.list(bench.tree["stage"]) == ["lnk", "mark"])
    try expectCanary()
  }

  // MARK: - 18, 19, 20

  @Test(
    "18: the source of a cache stays in the cache", arguments: ["../../..", "/", "lnk", "up/.."])
  func cacheSource(source: String) async throws {
    let cache = try bench.tree.directory("cache")
    try bench.tree.file("cache/mark")
    try bench.tree.symlink("cache/lnk", to: "/")
    try bench.tree.symlink("cache/up", to: "../../../../../../..")
    let outcome = try await bench.run("ls /c") {
      $0.mounts = [
        .cache(
          directory: cache, source: Array(source.utf8), target: Array("/c".utf8),
          isReadOnly: false)
      ]
    }
    #expect(outcome.output == "lnk\nmark\nup\n")
  }

  @Test("18: a cache that is changed while it is mounted never leads outside; 40 rounds")
  func racedCache() async throws {
    let cache = try bench.tree.directory("cache")
    try bench.tree.directory("cache/a")
    try bench.tree.symlink("cache/b", to: canary.string)
    let isDone = Mutex(false)
    let directory = cache.string
    let racer = Task.detached {
      while !isDone.withLock({ $0 }) {
        rename("\(directory)/a", "\(directory)/c")
        rename("\(directory)/b", "\(directory)/a")
        rename("\(directory)/a", "\(directory)/b")
        rename("\(directory)/c", "\(directory)/a")
        await Task.yield()
      }
    }
    for _ in 0..<40 {
      let request = bench.request("ls /c/a /t; echo x > /c/a/new; echo x > /t/new") {
        $0.mounts = [
          .cache(
            directory: cache, source: [], target: Array("/c".utf8), isReadOnly: false),
          .cache(
            directory: cache, source: Array("a".utf8), target: Array("/t".utf8),
            isReadOnly: false),
        ]
      }
      // Either it runs in the cache, or the source is not there at that moment.
      _ = await bench.failure(request)
      try expectCanary()
    }
    isDone.withLock { $0 = true }
    await racer.value
  }

  @Test("19: a step that swaps a mount point's parent for a link makes nothing be removed")
  func swappedStub() async throws {
    let target = canary.appending("empty").string
    for (parent, name) in [("/run/secrets", "empty"), ("/opt", "empty")] {
      let outcome = try await bench.run(
        "mv \(parent) /moved 2>/dev/null; rm -rf \(parent) 2>/dev/null; ln -s \(canary) \(parent); "
          + "ln -sfn \(target) \(parent)/\(name); true"
      ) {
        $0.mounts = [
          .file(
            content: [], target: Array("\(parent)/\(name)".utf8), mode: 0o644, uid: 0, gid: 0)
        ]
      }
      #expect(outcome.status == .exited(0))
      try expectCanary()
    }
  }

  @Test("20: nothing can be mounted over the root, nor over /proc by any name")
  func forbiddenTargets() async throws {
    let layers = try layer(["lnk": "/proc/sys", "up": "../../.."])
    func message(_ target: String) async -> String {
      await bench.failure(
        bench.request("true", over: layers) {
          $0.mounts = [.tmpfs(target: Array(target.utf8), size: nil)]
        })
    }
    for target in ["/", "/../..", "/up", "/tmp/.."] {
      #expect(
        await message(target) == "'\(target)' is the root itself; nothing can be mounted there")
    }
    #expect(await message("/proc") == "nothing may be mounted at '/proc': it lies in /proc")
    for target in ["/proc/sys", "/lnk", "/tmp/../proc/sys"] {
      #expect(
        await message(target) == "nothing may be mounted at '/proc/sys': it lies in /proc")
    }
  }

  // MARK: - 21

  @Test("21: user files that are no files, or endless, end in an error")
  func userFiles() async throws {
    let passwd = bench.base.appending("etc/passwd")
    func message() async -> String {
      await bench.failure(bench.request("id") { $0.user = "app" })
    }
    unlink(passwd.string)
    mkfifo(passwd.string, 0o644)
    #expect(await message() == "/etc/passwd of the image is not a regular file")
    unlink(passwd.string)
    // In the image this is a name without anything behind it: /dev there is empty.
    symlink("/dev/zero", passwd.string)
    #expect(await message() == "no user 'app' in /etc/passwd of the image")
    unlink(passwd.string)
    try bench.tree.file("base/etc/passwd")
    truncate(passwd.string, 5 << 30)
    #expect(
      await message()
        == "/etc/passwd of the image has 5368709120 bytes; more than 10 MiB are not read")
  }

  @Test(
    "21: ids that wrap around are errors", arguments: ["4294967296", "-1", "4294967295", "1:-1"])
  func wrappedIDs(user: String) async {
    let message = await bench.failure(bench.request("id") { $0.user = user })
    #expect(message.hasSuffix("is no user or group id"))
  }
}
