import Foundation
import Testing

@Suite("What goes wrong is said, and leaves nothing behind")
struct FaultTests {
  @Test("a base that no registry and no context gives is named, with what to do")
  func missingBase() async throws {
    let site = try BuildSite()
    try site.write("FROM registry.invalid/team/base:1\nRUN true\n", to: "Dockerfile")
    let run = try await BuiltProgram.run(
      "pipeline", ["build", site.context], state: site.state)
    #expect(run.status == 1)
    #expect(run.errors.contains("registry.invalid/team/base:1"))
    #expect(run.errors.contains("Dockerfile:1:"))
    #expect(run.errors.contains("--build-context registry.invalid/team/base:1="))
    #expect(try site.remains() == [])
  }

  @Test("a context that is no image says which file is missing")
  func missingLayout() async throws {
    let site = try BuildSite()
    let run = try await site.build(
      "FROM other\n", ["--build-context", "other=oci-layout:///nonexistent/layout"])
    #expect(run.status == 64 || run.status == 1)
    #expect(run.errors.contains("/nonexistent/layout"))
    #expect(!run.errors.contains("errno"))
  }

  @Test("a file that the context lacks is named at its step")
  func missingSource() async throws {
    let site = try BuildSite()
    let run = try await site.build("FROM base\nCOPY requirements.txt /requirements.txt\n")
    #expect(run.status == 1)
    #expect(run.errors.contains("requirements.txt"))
    #expect(run.errors.contains("Dockerfile:5:"))
    #expect(try site.remains() == [])
  }

  @Test("a full disk is said, and the next build works once there is room")
  func fullDisk() async throws {
    let disk = try SmallDisk(options: "size=24m")
    let site = try BuildSite(state: disk.path + "/state")
    let run = try await site.build(
      "FROM base\nRUN head -c 60000000 /dev/zero > /large\n", ["-t", "full"])
    #expect(run.status == 1)
    #expect(run.errors.contains("help: no space left on device"))
    #expect(run.errors.contains("--state-dir"))
    #expect(try site.remains() == [])
    let next = try await site.build("FROM base\nRUN echo small > /small\n", ["-t", "small"])
    #expect(next.status == 0, "\(next.errors)")
  }

  @Test("a disk without room for an export leaves no half-written file")
  func fullDiskWhileExporting() async throws {
    let site = try BuildSite()
    let disk = try SmallDisk(options: "size=1m")
    let run = try await site.build(
      "FROM base\nRUN head -c 4000000 /dev/urandom > /large\n",
      ["-o", "type=oci,dest=\(disk.path)/image.tar"])
    #expect(run.status == 1)
    #expect(run.errors.contains("o space left on device"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == [])
    #expect(try site.remains() == [])
  }

  @Test("a file system without inodes is said, and the next build works once there are some")
  func noInodes() async throws {
    let disk = try SmallDisk(options: "size=64m,nr_inodes=700")
    let site = try BuildSite(state: disk.path + "/state")
    let run = try await site.build(
      "FROM base\nRUN i=0; while [ $i -lt 2000 ]; do echo > /f$i || exit 3; i=$((i+1)); done\n",
      ["-t", "many"])
    #expect(run.status == 1)
    #expect(run.errors.contains("o space left on device"))
    #expect(try site.remains() == [])
    let next = try await site.build("FROM base\nRUN echo small > /small\n", ["-t", "small"])
    #expect(next.status == 0, "\(next.errors)")
  }

  @Test("Ctrl-C stops the step at once, with all its processes, and the next build works")
  func interrupt() async throws {
    let site = try BuildSite()
    let step = "FROM base\nRUN echo started; sleep 600 & sleep 600; : \(site.marker)\n"
    let process = try site.start(step)
    try await site.wait(for: "| started", from: process)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(try site.printed().contains("cancelled"))
    #expect(try site.remains() == [])
    let next = try await site.build("FROM base\nRUN echo done > /done\n", ["-t", "next"])
    #expect(next.status == 0, "\(next.errors)")
  }

  @Test("a failing step stops the steps beside it")
  func failureCancels() async throws {
    let site = try BuildSite()
    let run = try await site.build(
      """
      FROM base AS slow
      RUN sleep 600; : \(site.marker)
      FROM base AS broken
      RUN echo last words; exit 7
      FROM base
      COPY --from=slow /bin/busybox /a
      COPY --from=broken /bin/busybox /b

      """)
    #expect(run.status == 1)
    #expect(run.errors.contains("exit code: 7"))
    #expect(run.errors.contains("last words"))
    #expect(run.errors.contains("Dockerfile:7:1"))
    #expect(try site.remains() == [])
  }

  @Test("a killed build leaves no mount and no process, and what it left is swept by the next")
  func killed() async throws {
    let site = try BuildSite()
    let process = try site.start(
      "FROM base\nRUN echo started; sleep 600; : \(site.marker)\n")
    try await site.wait(for: "| started", from: process)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let next = try await site.build("FROM base\nRUN echo done > /done\n", ["-t", "next"])
    #expect(next.status == 0, "\(next.errors)")
    #expect(try site.remains() == [])
  }

  @Test("two builds at once on one store run a shared step once")
  func twoBuilds() async throws {
    let site = try BuildSite()
    let step = "FROM base\nRUN echo working; sleep 1; date +%s%N > /when\n"
    try site.write(BuildSite.base + step, to: "Dockerfile")
    let runs = try await withThrowingTaskGroup(of: ProgramRun.self) { group in
      for number in 0..<2 {
        group.addTask {
          try await BuiltProgram.run(
            "pipeline",
            [
              "build", "--progress", "plain", "-o", "type=local,dest=\(site.path("out\(number)"))",
              site.context,
            ], state: site.state)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(runs.map(\.status) == [0, 0])
    #expect(runs.count { $0.errors.contains("| working") } == 1)
    let times = try (0..<2).map {
      try String(contentsOfFile: site.path("out\($0)") + "/when", encoding: .utf8)
    }
    #expect(times[0] == times[1])
  }
}

/// A file system in memory that fills up soon; unmounted with the object.
final class SmallDisk: Sendable {
  private let scratch: ScratchDirectory
  var path: String { scratch.appending("disk") }

  init(options: String) throws {
    scratch = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: scratch.appending("disk"), withIntermediateDirectories: true)
    let run = try ProgramRun.wait(
      for: "mount", ["-t", "tmpfs", "-o", options, "tmpfs", scratch.appending("disk")])
    try #require(run.status == 0, "\(run.errors)")
  }

  deinit {
    _ = try? ProgramRun.wait(for: "umount", ["-l", path])
  }
}
