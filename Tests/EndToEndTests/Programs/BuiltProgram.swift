import Foundation
import Testing

/// A program of this package, as the build put it beside the tests.
enum BuiltProgram {
  /// Its path, or an error that says how to get it.
  static func path(_ name: String) throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = (tests as NSString).deletingLastPathComponent + "/" + name
    try #require(
      FileManager.default.isExecutableFile(atPath: path),
      "\(path) is missing: swift build --build-tests makes it")
    return path
  }

  /// Runs it with state of its own in `state`.
  static func run(
    _ name: String, _ arguments: [String], state: String, in directory: String = "/",
    environment: [String: String] = [:], input: [UInt8] = []
  ) async throws -> ProgramRun {
    try await ProgramRun.run(
      try path(name), arguments, in: directory,
      environment: environment.merging(["PIPELINE_STATE_DIR": state]) { given, _ in given },
      input: input)
  }
}
