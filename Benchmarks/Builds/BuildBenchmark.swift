import Foundation

/// Builds the same Dockerfiles with this project and with the peers that are installed, one after
/// the other on the same machine, and prints seconds and ratios: cold, unchanged, after one edit.
@main
struct BuildBenchmark {
  /// A phase of a measurement, in the order measured.
  enum Phase: String, CaseIterable {
    case cold
    case cached
    case edited
  }

  var workloads = Workload.all
  var only: [String] = []
  var rounds = 1
  /// Images of a registry that are pulled and unpacked.
  var pulls: [String] = []
  var pipeline = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("pipeline").path
  let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent("pipeline-benchmark-\(getpid())")

  static func main() {
    var benchmark = BuildBenchmark()
    guard benchmark.read(Array(CommandLine.arguments.dropFirst())) else {
      print("usage: Benchmarks [--only NAME]… [--rounds N] [--pipeline PATH] [--pull REFERENCE]…")
      let names = benchmark.workloads.map(\.name) + [sandbox, pull]
      print("workloads: \(names.joined(separator: ", "))")
      exit(64)
    }
    benchmark.run()
  }

  private mutating func read(_ arguments: [String]) -> Bool {
    guard arguments.count.isMultiple(of: 2) else { return false }
    for index in stride(from: 0, to: arguments.count, by: 2) {
      let value = arguments[index + 1]
      switch arguments[index] {
      case "--only": only.append(value)
      case "--rounds": rounds = max(1, Int(value) ?? 1)
      case "--pipeline": pipeline = value
      case "--pull":
        if pulls.isEmpty { workloads.append(.pulling(value)) }
        pulls.append(value)
      default: return false
      }
    }
    return true
  }

  private static let sandbox = "sandbox"
  private static let pull = "pull"

  private func run() {
    defer { try? FileManager.default.removeItem(at: directory) }
    if only.isEmpty || only.contains(Self.sandbox) {
      do {
        try SandboxBenchmark(
          place: directory.appendingPathComponent("sandbox"), pipeline: pipeline
        ).run()
      } catch {
        print("the sandbox cannot be measured: \(error)")
      }
    }
    if only.isEmpty || only.contains(Self.pull) {
      for reference in pulls {
        Comparison.pulling(
          reference, in: directory.appendingPathComponent("pull"), pipeline: pipeline
        ).run(rounds: rounds)
      }
    }
    let workloads = workloads.filter { only.isEmpty || only.contains($0.name) }
    if !workloads.isEmpty { compare(workloads) }
  }

  private func compare(_ workloads: [Workload]) {
    let engines = Engine.allCases.filter(\.isThere)
    print(
      Self.padded("workload", 24) + Self.padded("build", 10)
        + engines.map { Self.padded($0.rawValue, 12) }.joined()
        + engines.dropFirst().map { Self.padded("/ \($0.rawValue)", 12) }.joined())
    for workload in workloads {
      var times: [Engine: [Phase: Double]] = [:]
      for engine in engines {
        do {
          times[engine] = try measure(engine, workload)
        } catch {
          print("\(workload.name) with \(engine.rawValue) failed: \(error)")
        }
      }
      for phase in Phase.allCases { print(Self.line(workload, phase, engines, times)) }
      // Whoever reads along through a pipe sees each workload when it is done.
      fflush(nil)
    }
  }

  /// The best of the rounds, for each phase.
  private func measure(_ engine: Engine, _ workload: Workload) throws -> [Phase: Double] {
    var best: [Phase: Double] = [:]
    for round in 0..<rounds {
      let place = directory.appendingPathComponent("\(engine.rawValue)-\(round)")
      let context = place.appendingPathComponent("context")
      let state = place.appendingPathComponent("state")
      let output = place.appendingPathComponent("image.tar")
      defer {
        engine.reset(state: state)
        try? FileManager.default.removeItem(at: place)
      }
      engine.reset(state: state)
      try workload.make(in: context)
      for phase in Phase.allCases {
        if phase == .edited { try workload.change(context) }
        try? FileManager.default.removeItem(at: output)
        let seconds = try Shell.time(
          engine.commands(context: context, state: state, output: output, pipeline: pipeline))
        best[phase] = min(best[phase] ?? .infinity, seconds)
      }
    }
    return best
  }

  private static func line(
    _ workload: Workload, _ phase: Phase, _ engines: [Engine], _ times: [Engine: [Phase: Double]]
  ) -> String {
    var line = padded(workload.name, 24) + padded(phase.rawValue, 10)
    for engine in engines {
      line += padded(times[engine]?[phase].map { String(format: "%.3f s", $0) } ?? "-", 12)
    }
    for engine in engines.dropFirst() {
      guard let ours = times[.pipeline]?[phase], let theirs = times[engine]?[phase] else {
        line += padded("-", 12)
        continue
      }
      line += padded(String(format: "%.3f", ours / theirs), 12)
    }
    return line
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
