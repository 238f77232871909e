import Glibc
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Commands that try to outlive, flood or reach the builder; numbers are those of the threats.
@Suite struct SandboxProcessThreatTests {
  let bench: SandboxBench

  init() throws {
    bench = try SandboxBench()
  }

  /// Whether any process of the machine has an argument in its command line.
  private func isRunning(_ argument: String) throws -> Bool {
    for name in try DirectoryTree.names(in: "/proc") where Int(name) != nil {
      let line = (try? FileContent.read(FilePath("/proc/\(name)/cmdline"))) ?? []
      if line.split(separator: 0).contains(where: { $0.elementsEqual(argument.utf8) }) {
        return true
      }
    }
    return false
  }

  /// A number of seconds that no other process sleeps for.
  private func uniqueDuration() -> String { "8\(UInt32.random(in: 100_000...999_999))" }

  // MARK: - 23

  @Test("23: the builder's memory, files and program cannot be reached through process 1")
  func processOne() async throws {
    let outcome = try await bench.run(
      "for f in exe root cwd fd/0 mem environ maps; do "
        + "head -c 1 /proc/1/$f > /dev/null 2>&1 && echo $f; done; "
        + "readlink /proc/1/exe; echo x 2>/dev/null > /proc/1/exe || echo denied")
    #expect(outcome.output == "denied\n")
  }

  @Test("23: variables that steer loaders act inside only")
  func preload() async throws {
    try bench.tree.file("base/evil.so", "no library", mode: 0o755)
    let outcome = try await bench.run("echo fine") {
      $0.environment += [Array("LD_PRELOAD=/evil.so".utf8), Array("LD_LIBRARY_PATH=/".utf8)]
    }
    #expect(outcome.output == "fine\n")
  }

  // MARK: - 24

  @Test("24: a daemon in a session of its own dies with the step")
  func daemon() async throws {
    let duration = uniqueDuration()
    let outcome = try await bench.run(
      "setsid sh -c 'trap \"\" TERM HUP; sleep \(duration)' </dev/null >/dev/null 2>&1 & true")
    #expect(outcome.status == .exited(0))
    #expect(try !isRunning(duration))
  }

  @Test("24: a child that keeps standard output open does not keep the step")
  func openOutput() async throws {
    let duration = uniqueDuration()
    let outcome = try await bench.run("sleep \(duration) & echo done")
    #expect(outcome.output == "done\n")
    #expect(try !isRunning(duration))
  }

  @Test("24: a fork bomb is gone when its step ends")
  func forkBomb() async throws {
    let duration = uniqueDuration()
    let outcome = try await bench.run(
      "i=0; while [ $i -lt 300 ]; do (setsid sleep \(duration) &) ; i=$((i+1)); done; echo end")
    #expect(outcome.output == "end\n")
    #expect(try !isRunning(duration))
  }

  @Test("24: a flood of output arrives whole, and a slow reader slows it down")
  func flood() async throws {
    let request = bench.request("yes 0123456789abcde | head -c 64000000; echo end >&2")
    let workspace = try bench.store.makeWorkspace(below: request.root)
    let count = Mutex(0)
    let largest = Mutex(0)
    let status = try await bench.store.sandbox.run(request, in: workspace) {
      stream, bytes in
      count.withLock { $0 += stream == .standardOutput ? bytes.count : 0 }
      largest.withLock { $0 = max($0, bytes.count) }
    }
    #expect(status == .exited(0))
    #expect(count.withLock { $0 } == 64_000_000)
    #expect(largest.withLock { $0 } <= 1 << 16)
  }

  @Test("24: cancelling kills everything, whatever it ignores")
  func cancellation() async throws {
    let duration = uniqueDuration()
    let sandbox = bench.store.sandbox
    let request = bench.request(
      "trap '' TERM INT HUP; setsid sleep \(duration) & echo up; while true; do sleep 1; done")
    let workspace = try bench.store.makeWorkspace(below: request.root)
    let (signals, signal) = AsyncStream<Void>.makeStream()
    let running = Task {
      try await sandbox.run(request, in: workspace) { _, _ in signal.yield() }
    }
    for await _ in signals { break }
    #expect(try isRunning(duration))
    running.cancel()
    await #expect(throws: CancellationError.self) { _ = try await running.value }
    #expect(try !isRunning(duration))
  }

  @Test("24: a task that was cancelled before starts nothing")
  func cancelledBefore() async throws {
    let bench = bench
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await bench.run("echo ran > /ran")
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  // MARK: - 25

  @Test("25: the kernel's settings are read-only and mounts, namespaces and devices refused")
  func kernel() async throws {
    let outcome = try await bench.run(
      """
      try() { "$@" >/dev/null 2>&1 && echo "allowed: $*"; }
      put() { echo 1 2>/dev/null > $1 && echo "written: $1"; }
      put /proc/sys/kernel/hostname; put /proc/sysrq-trigger; put /proc/sys/vm/drop_caches
      put /sys/kernel/mm/ksm/run; put /proc/irq/default_smp_affinity
      try mount -t tmpfs none /tmp; try mount -o remount,rw /proc/sys; try umount /proc/sys
      try mount -o bind / /tmp; try unshare -U true; try unshare -m true; try unshare -n true
      try mount -t proc none /tmp; try hostname other
      try cat /dev/mem; try dd if=/dev/vda of=/dev/null count=1; try cat /dev/tty
      cat /proc/kcore /proc/keys /proc/timer_list | wc -c
      ls /sys/firmware | wc -l
      """)
    #expect(outcome.output == "0\n0\n")
  }

  @Test("nothing is left in the machine's mount table")
  func mounts() async throws {
    _ = try await bench.run("true") {
      $0.mounts = [.tmpfs(target: Array("/x/y".utf8), size: nil)]
    }
    let text = String(decoding: try FileContent.read("/proc/self/mountinfo"), as: UTF8.self)
    #expect(!text.contains(bench.tree.path.string))
  }
}
