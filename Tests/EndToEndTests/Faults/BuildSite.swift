import Foundation
import Testing

/// A context, a state directory and a built-up base for tests that break builds.
final class BuildSite: Sendable {
  private let scratch: ScratchDirectory
  let context: String
  let state: String

  /// A stage that every Dockerfile here starts with, made of this machine's busybox.
  static let base = """
    FROM scratch AS base
    COPY busybox /bin/busybox
    RUN ["/bin/busybox", "--install", "/bin"]

    """

  init(state: String? = nil) throws {
    scratch = try ScratchDirectory()
    context = scratch.appending("context")
    self.state = state ?? scratch.appending("state")
    try FileManager.default.createDirectory(
      atPath: context, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: "\(context)/busybox")
  }

  func path(_ name: String) -> String { scratch.appending(name) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(context)/\(name)"))
  }

  /// Builds a Dockerfile that starts with the base.
  func build(_ dockerfile: String, _ arguments: [String] = []) async throws -> ProgramRun {
    try write(Self.base + dockerfile, to: "Dockerfile")
    return try await BuiltProgram.run(
      "pipeline", ["build", "--progress", "plain"] + arguments + [context], state: state)
  }

  /// Starts the same build and leaves it running.
  func start(_ dockerfile: String, _ arguments: [String] = []) throws -> Process {
    try write(Self.base + dockerfile, to: "Dockerfile")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try BuiltProgram.path("pipeline"))
    process.arguments = ["build", "--progress", "plain"] + arguments + [context]
    process.environment = ["PATH": "/usr/bin:/bin", "PIPELINE_STATE_DIR": state]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(
      forWritingTo: URL(fileURLWithPath: try log()))
    try process.run()
    return process
  }

  /// What a build that was started has printed so far.
  func printed() throws -> String {
    try String(contentsOfFile: path("log"), encoding: .utf8)
  }

  private func log() throws -> String {
    let file = path("log")
    try Data().write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Waits until the running build has printed a text.
  func wait(for text: String, from process: Process) async throws {
    for _ in 0..<1500 {
      let printed = try printed()
      if printed.contains(text) { return }
      try #require(process.isRunning, "the build ended before it printed '\(text)': \(printed)")
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("'\(text)' was never printed: \(try printed())")
  }

  /// What a build left behind that it should not have: mounts, half-made layers, processes.
  func remains() throws -> [String] {
    let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
      .split(separator: "\n").filter { $0.contains(state + "/") }.map { "mount \($0)" }
    let work = (try? FileManager.default.contentsOfDirectory(atPath: "\(state)/work")) ?? []
    return mounts + work.map { "work/\($0)" } + processes().map { "process \($0)" }
  }

  /// Command lines of processes whose root is a step's, told by the marker that tests put there.
  private func processes() -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.filter { Int($0) != nil }.compactMap { id in
      guard let data = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else {
        return nil
      }
      let text = String(decoding: data, as: UTF8.self).replacing("\0", with: " ")
      return text.contains(marker) ? text : nil
    }
  }

  /// A word that occurs in the command lines of this site's steps and nowhere else.
  let marker = "site-\(UInt64.random(in: 0...UInt64.max))"
}
