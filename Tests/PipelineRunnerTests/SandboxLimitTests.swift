import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct SandboxLimitTests {
  let bench: SandboxBench

  init() throws {
    bench = try SandboxBench()
  }

  private func limited(
    _ script: String, memory: Int64? = nil, processes: Int? = nil, processors: Double? = nil
  ) -> RunRequest {
    bench.request(script) {
      $0.limits = ResourceLimits(memory: memory, processes: processes, processors: processors)
    }
  }

  /// The groups of this process that are left anywhere.
  private func groups() throws -> [String] {
    var found: [String] = []
    func look(_ path: FilePath, depth: Int) {
      for name in (try? DirectoryTree.names(in: path)) ?? [] {
        let child = path.appending(name)
        guard let status = child.status, status.st_mode & S_IFMT == S_IFDIR else { continue }
        if name.hasPrefix("pipeline-\(getpid())-") { found.append(child.string) }
        if depth < 4 { look(child, depth: depth + 1) }
      }
    }
    look("/sys/fs/cgroup", depth: 0)
    return found
  }

  @Test("a command that wants more memory is killed, and the error says why (threat 24)")
  func memory() async throws {
    let script = "dd if=/dev/zero of=/dev/null bs=200M count=1"
    #expect(try await bench.run(limited(script, memory: 512 << 20)).status == .exited(0))
    #expect(
      await bench.failure(limited(script, memory: 64 << 20))
        == "the command needed more memory than --memory allows (64 MiB), and was killed")
  }

  @Test("a fork bomb meets the limit of processes")
  func processes() async throws {
    let outcome = try await bench.run(
      limited("for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; echo end", processes: 4))
    #expect(outcome.error.contains("can't fork"))
    #expect(outcome.status != .exited(0))
  }

  @Test("a limit of processors is where the kernel looks for it")
  func processors() async throws {
    let outcome = try await bench.run(limited("cat /proc/self/cgroup", processors: 0.5))
    let line = outcome.output.split(separator: "\n").first { $0.contains("pipeline-") }
    #expect(line != nil || ControlGroups.isUnified)
  }

  @Test("no group is left behind")
  func leftovers() async throws {
    _ = try await bench.run(limited("true", memory: 64 << 20, processes: 10, processors: 1))
    let own = try groups()
    // Other tests run at the same time; theirs go as well.
    for path in own {
      for _ in 0..<1000 where access(path, F_OK) == 0 { usleep(10_000) }
      #expect(access(path, F_OK) != 0)
    }
  }

  @Test(
    "limits are read as docker reads them, or refused",
    arguments: [
      ("512m", nil, nil, "memory 536870912"), ("1.5g", nil, nil, "memory 1610612736"),
      ("5m", nil, nil, "--memory has to be 6m at least: '5m' is less"),
      ("much", nil, nil, "'much' is no amount of memory"),
      (nil, -1, nil, "none"), (nil, 9, nil, "processes 9"),
      (nil, -2, nil, "--pids-limit has to be a positive number"),
      (nil, nil, 1.5, "processors 1.5"),
      (nil, nil, -1, "--cpus has to be a number of processors from 0.01 on"),
    ] as [(String?, Int?, Double?, String)])
  func options(memory: String?, processes: Int?, processors: Double?, expected: String) {
    var text = "none"
    do {
      let limits = try LimitOptions.limits(
        memory: memory, pidsLimit: processes, cpus: processors)
      if let memory = limits.memory { text = "memory \(memory)" }
      if let processes = limits.processes { text = "processes \(processes)" }
      if let processors = limits.processors { text = "processors \(processors)" }
    } catch {
      text = error.diagnostics[0].message
    }
    #expect(text == expected)
  }
}
