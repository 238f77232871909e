import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct SandboxTests {
  let bench: SandboxBench

  init() throws {
    bench = try SandboxBench()
  }

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test("output, error and exit status come back")
  func streams() async throws {
    let outcome = try await bench.run("echo out; echo err >&2; exit 7")
    #expect(outcome.output == "out\n")
    #expect(outcome.error == "err\n")
    #expect(outcome.status == .exited(7))
  }

  @Test("a signal that ends the command is reported as one")
  func signal() async throws {
    #expect(try await bench.run("kill -9 $$").status == .signaled(9))
  }

  @Test("the upper directory holds what was changed and no mount point")
  func upper() async throws {
    let outcome = try await bench.run("mkdir -p /opt/x; echo hi > /opt/x/file; rm /etc/group")
    #expect(outcome.status == .exited(0))
    #expect(
      try SandboxBench.list(outcome.upper)
        == ["etc/", "etc/group", "opt/", "opt/x/", "opt/x/file"])
    #expect(outcome.upper.appending("opt/x/file").text == "hi\n")
    #expect(
      outcome.upper.appending("etc/group").status.map {
        $0.st_mode & S_IFMT == S_IFCHR && $0.st_rdev == 0
      } == true)
  }

  @Test("a command that changes nothing leaves an empty upper directory")
  func nothing() async throws {
    let outcome = try await bench.run("true")
    #expect(try SandboxBench.list(outcome.upper) == [])
  }

  @Test("standard input is empty and no other descriptor is inherited (threat 16)")
  func descriptors() async throws {
    let outcome = try await bench.run("cat; ls /proc/self/fd")
    // The fourth is the directory that ls itself has open.
    #expect(outcome.output == "0\n1\n2\n3\n")
  }

  @Test("the environment is what was asked for, and HOME from passwd (R3)")
  func environment() async throws {
    let outcome = try await bench.run("env | sort") {
      $0.environment.append(Array("A=1".utf8))
      $0.user = "app"
    }
    #expect(
      outcome.output == "A=1\nHOME=/home/app\nPATH=/usr/bin:/bin\nPWD=/\nSHLVL=1\n")
  }

  @Test("HOME that is set stays, and is / for a user without an entry")
  func home() async throws {
    #expect(
      try await bench.run("echo $HOME") { $0.environment.append(Array("HOME=/x".utf8)) }.output
        == "/x\n")
    #expect(try await bench.run("echo $HOME") { $0.user = "4711" }.output == "/\n")
  }

  @Test(
    "users become ids with their groups (R4)",
    arguments: [
      ("", "uid=0(root) gid=0(root) groups=0(root)"),
      ("app", "uid=1000(app) gid=1000(app) groups=29(audio),1000(app)"),
      ("1000", "uid=1000(app) gid=1000(app) groups=29(audio),1000(app)"),
      ("app:audio", "uid=1000(app) gid=29(audio) groups=29(audio)"),
      ("4711", "uid=4711 gid=0(root) groups=0(root)"),
    ])
  func users(user: String, expected: String) async throws {
    let outcome = try await bench.run("id") { $0.user = user }
    let groups = outcome.output.split(separator: "\n").joined()
    #expect(groups == expected)
  }

  @Test("an unknown user is an error")
  func unknownUser() async {
    #expect(
      await bench.failure(bench.request("id") { $0.user = "nobody" })
        == "no user 'nobody' in /etc/passwd of the image")
  }

  @Test("a missing working directory is made, 0755 and the run user's (R1)")
  func workingDirectory() async throws {
    let outcome = try await bench.run("pwd; stat -c '%a %u:%g' .") {
      $0.workingDirectory = Array("/srv/a/b".utf8)
      $0.user = "app"
    }
    #expect(outcome.output == "/srv/a/b\n755 1000:1000\n")
    #expect(try SandboxBench.list(outcome.upper) == ["srv/", "srv/a/", "srv/a/b/"])
  }

  @Test("a command that is nowhere in PATH is named as BuildKit names it")
  func commandNotFound() async {
    var request = bench.request("")
    request.arguments = [bytes("nope"), bytes("x")]
    #expect(
      await bench.failure(request) == "exec: \"nope\": executable file not found in $PATH")
    request.arguments = [bytes("/nope")]
    #expect(await bench.failure(request) == "exec: \"/nope\": no such file or directory")
  }

  @Test("files that cannot be executed say why")
  func notExecutable() async throws {
    try bench.tree.file("base/plain", "echo", mode: 0o644)
    try bench.tree.file("base/script", "#!/bin/bash\n", mode: 0o755)
    try bench.tree.file("base/text", "just text", mode: 0o755)
    var request = bench.request("")
    request.arguments = [bytes("/plain")]
    #expect(await bench.failure(request) == "exec: \"/plain\": permission denied")
    request.arguments = [bytes("/script")]
    #expect(
      await bench.failure(request)
        == "exec: \"/script\": the program that is to run it is not in the image")
    request.arguments = [bytes("/text")]
    #expect(await bench.failure(request) == "exec: \"/text\": exec format error")
  }

  @Test("a program for another processor says what to install")
  func foreignProgram() async throws {
    // The beginning of a 64-bit ELF file for arm64 and for s390x.
    for (machine, name): (UInt8, String) in [(183, "arm64"), (22, "s390x")] {
      var header = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57)
      header[16] = 2
      header[18] = machine
      try bench.tree.file(bytes: bytes("base/foreign"), header, mode: 0o755)
      let request = bench.request("/foreign") { $0.arguments = [Array("/foreign".utf8)] }
      let error = await #expect(throws: Diagnostic.self) { _ = try await bench.run(request) }
      #expect(error?.message == "exec: \"/foreign\": exec format error")
      #expect(
        error?.help
          == "it is a program for \(name), and this machine runs none; install an emulator "
          + "for it (Debian's qemu-user-static and binfmt-support), or build with another --platform"
      )
    }
  }

  @Test("the namespaces are new: process 1 is ours, the host name is fixed")
  func namespaces() async throws {
    let outcome = try await bench.run(
      "hostname; ps -o pid,comm | head -3; tr -d '\\0' < /proc/1/cmdline")
    #expect(outcome.output == "buildkitsandbox\nPID   COMMAND\n    1 init\n    2 sh\ninit")
  }

  @Test("the network is the machine's, or lo alone and up")
  func network() async throws {
    let none = try await bench.run("cat /proc/net/dev | wc -l; ifconfig lo | grep -c UP") {
      $0.network = .none
    }
    #expect(none.output == "3\n1\n")
    let host = try await bench.run("readlink /proc/self/ns/net")
    var buffer = [CChar](repeating: 0, count: 64)
    let length = readlink("/proc/self/ns/net", &buffer, 64)
    #expect(
      host.output
        == String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) + "\n")
  }

  @Test("capabilities are the default set, and no_new_privs is off")
  func capabilities() async throws {
    let script = "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status"
    let expected = [
      "CapInh:\t0000000000000000", "CapPrm:\t00000000a80425fb", "CapEff:\t00000000a80425fb",
      "CapBnd:\t00000000a80425fb", "CapAmb:\t0000000000000000", "NoNewPrivs:\t0", "Seccomp:\t2",
    ]
    #expect(
      try await bench.run(script).output.split(separator: "\n").map(String.init) == expected)
    let user = try await bench.run(script) { $0.user = "app" }
    #expect(user.output.contains("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"))
    #expect(user.output.contains("CapBnd:\t00000000a80425fb\n"))
  }

  @Test("/dev holds the usual devices and links")
  func devices() async throws {
    let outcome = try await bench.run(
      "cd /dev; ls; echo x > null; head -c 3 zero | wc -c; readlink fd; readlink ptmx; stat -c %a shm; "
        + "df shm | grep -c 65536; ls pts; head -c1 urandom | wc -c")
    #expect(
      outcome.output.split(separator: "\n").joined(separator: " ")
        == "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
        + "3 /proc/self/fd pts/ptmx 1777 1 ptmx 1")
    #expect(outcome.error == "")
  }

  @Test("names are looked up as the machine does, and the host's own names are generated")
  func names() async throws {
    let outcome = try await bench.run("cat /etc/hosts; cat /etc/resolv.conf; echo x > /etc/hosts")
    let resolver = FilePath("/etc/resolv.conf").text ?? ""
    #expect(
      outcome.output
        == "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        + resolver)
    #expect(outcome.error.contains("Read-only file system"))
    #expect(try SandboxBench.list(outcome.upper) == [])
  }

  @Test("/run is no tmpfs: what is written there stays (executor.md section 2)")
  func run() async throws {
    let outcome = try await bench.run("mkdir -p /run/x; echo 1 > /run/x/y")
    #expect(try SandboxBench.list(outcome.upper) == ["run/", "run/x/", "run/x/y"])
  }

  @Test("--security=insecure has every capability and no filter, in namespaces still")
  func insecure() async throws {
    let outcome = try await bench.run(
      "grep -E '^Seccomp:' /proc/self/status; mount -t tmpfs none /tmp && echo mounted; "
        + "test -w /proc/sys/kernel/hostname && echo writable; hostname"
    ) { $0.allowsEverything = true }
    #expect(outcome.output == "Seccomp:\t0\nmounted\nwritable\nbuildkitsandbox\n")
  }

  @Test("cancelling kills the command at once")
  func cancellation() async throws {
    let bench = bench
    let task = Task { try await bench.run("sleep 1000 & sleep 1000") }
    await Task.yield()
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }
}
