import Foundation

/// A program that builds a context and writes the image as a docker archive.
enum Engine: String, CaseIterable {
  case pipeline
  case buildah
  /// docker's own BuildKit, where DOCKER_HOST names a daemon that is ours to fill.
  case docker

  /// Debian's client, which has BuildKit's protocol built in; newer ones want a plugin for it.
  private static let dockerProgram = "/usr/bin/docker"

  /// Whether the engine can be run here.
  var isThere: Bool {
    switch self {
    case .pipeline: true
    case .buildah: Shell.succeeds(["buildah", "--version"])
    case .docker:
      ProcessInfo.processInfo.environment["DOCKER_HOST"] != nil
        && Shell.succeeds([Self.dockerProgram, "version"])
    }
  }

  /// The commands of one build, from a context to a file.
  func commands(context: URL, state: URL, output: URL, pipeline: String) -> [[String]] {
    switch self {
    case .pipeline:
      return [
        [
          pipeline, "build", "--progress", "quiet", "--state-dir", state.path, "-o",
          "type=docker,dest=\(output.path)", context.path,
        ]
      ]
    case .buildah:
      let buildah = [
        "buildah", "--root", "\(state.path)/root", "--runroot", "\(state.path)/run",
        "--storage-driver", "overlay",
      ]
      return [
        buildah + [
          "build", "--quiet", "--layers", "--tls-verify=false", "--isolation", "chroot",
          "--network", "host", "-t",
          "benchmark", context.path,
        ],
        buildah + ["push", "--quiet", "benchmark", "docker-archive:\(output.path):benchmark"],
      ]
    case .docker:
      return [
        [
          Self.dockerProgram, "build", "--quiet", "--network", "host", "-t", "benchmark",
          context.path,
        ],
        [Self.dockerProgram, "save", "-o", output.path, "benchmark"],
      ]
    }
  }

  /// Forgets everything that earlier builds left.
  func reset(state: URL) {
    switch self {
    case .pipeline, .buildah: _ = Shell.succeeds(["rm", "-rf", state.path])
    case .docker:
      _ = Shell.succeeds([Self.dockerProgram, "rmi", "-f", "benchmark"])
      _ = Shell.succeeds([Self.dockerProgram, "image", "prune", "-af"])
      _ = Shell.succeeds([Self.dockerProgram, "builder", "prune", "-af"])
    }
  }
}

/// Running programs and timing them.
enum Shell {
  static func succeeds(_ arguments: [String]) -> Bool {
    (try? run(arguments)) != nil
  }

  /// Runs a program to its end; the result is what it printed.
  ///
  /// - Throws: ``Failure`` with what it printed when it does not end with 0.
  @discardableResult
  static func run(_ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["DOCKER_BUILDKIT": "1"]) {
      $1
    }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    // waitUntilExit() looks again only after a while, which is longer than our builds take.
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    ended.wait()
    guard process.terminationStatus == 0 else {
      throw Failure(
        command: arguments.joined(separator: " "), output: String(decoding: output, as: UTF8.self))
    }
    return String(decoding: output, as: UTF8.self)
  }

  /// How long some programs take one after the other, in seconds.
  static func time(_ commands: [[String]]) throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    for command in commands { try run(command) }
    let parts = (clock.now - start).components
    return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
  }

  /// Processor seconds of every program that ended so far, and of docker's daemon.
  static var processorTime: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(daemonTime) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }

  /// What the daemon that `DOCKER_PID` names used, with the programs it started (proc(5), fields 14
  /// to 17 of `stat`, after a name that may hold blanks).
  private static var daemonTime: Double {
    guard let process = ProcessInfo.processInfo.environment["DOCKER_PID"],
      let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = stat.lastIndex(of: ")")
    else { return 0 }
    let ticks = stat[end...].split(separator: " ").dropFirst(12).prefix(4).compactMap { Double($0) }
    return ticks.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  struct Failure: Error, CustomStringConvertible {
    var command: String
    var output: String

    var description: String { "\(command)\n\(output)" }
  }
}
