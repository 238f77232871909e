import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// A home, a state and a build context for the programs of this package, run as users run them.
final class CommandSite: Sendable {
  let directory: TemporaryDirectory
  var path: FilePath { directory.path }
  var context: FilePath { path.appending("context") }
  var logins: FilePath { path.appending("home/.docker/config.json") }

  init() throws {
    directory = try TemporaryDirectory()
    // The machine's own settings take no part.
    try directory.write("home/.config/docker/daemon.json", "{}")
    for folder in ["context", "bin"] {
      try DirectoryTree.make(path.appending(folder), mode: 0o755)
    }
  }

  /// Runs a program that the build put beside the tests.
  func run(
    _ program: String = "pipeline", _ arguments: [String], input: String = "",
    environment: [String: String] = [:]
  ) async throws -> ChildProcess.Output {
    let tests = try #require("/proc/self/exe".withCString { realpath($0, nil) })
    defer { free(tests) }
    let file = FilePath(platformString: tests).removingLastComponent().appending(program)
    try #require(
      file.withPlatformString { access($0, X_OK) } == 0,
      "\(file) is missing: swift build --build-tests makes it")
    let variables = self.environment.merging(environment) { _, new in new }
    return try await blocking {
      try ChildProcess.run(
        [file.string] + arguments, environment: variables, input: Array(input.utf8))
    }
  }

  /// Builds the context's Dockerfile; it has to succeed.
  @discardableResult
  func build(_ dockerfile: String, _ arguments: String...) async throws -> String {
    try directory.write("context/Dockerfile", dockerfile)
    let output = try await run(
      arguments: ["build", "--progress", "plain"] + arguments + [context.string])
    try #require(output.status == 0, Comment(rawValue: output.errors))
    return output.errors
  }

  /// Runs `pipeline`.
  func run(
    arguments: [String], input: String = "", environment: [String: String] = [:]
  ) async throws -> ChildProcess.Output {
    try await run("pipeline", arguments, input: input, environment: environment)
  }

  private var environment: [String: String] {
    [
      "HOME": path.appending("home").string, "XDG_CONFIG_HOME": "", "DOCKER_CONFIG": "",
      "REGISTRY_AUTH_FILE": "", "PIPELINE_STATE_DIR": path.appending("state").string,
      "PATH": "\(path)/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "http_proxy": "", "HTTPS_PROXY": "", "https_proxy": "", "NO_PROXY": "", "no_proxy": "",
      "ALL_PROXY": "", "all_proxy": "",
    ]
  }

  /// Runs a program of the machine; it has to succeed.
  @discardableResult
  func tool(_ arguments: [String], environment: [String: String] = [:]) async throws -> String {
    let output = try await blocking {
      try ChildProcess.run(arguments, environment: environment)
    }
    try #require(
      output.status == 0, "\(arguments.joined(separator: " ")): \(output.text)\(output.errors)")
    return output.text.trimmedLine
  }

  func content(_ file: FilePath) throws -> String {
    String(decoding: try FileContent.read(file), as: UTF8.self)
  }

  /// The small root file system that images of tests start from, as a build context.
  func writeRoot() throws {
    let busybox = try FileContent.read("/bin/busybox")
    let root = path.appending("context/root")
    for folder in ["bin", "tmp"] { try DirectoryTree.make(root.appending(folder), mode: 0o755) }
    try FileContent.write(root.appending("bin/busybox"), busybox)
    _ = root.appending("bin/busybox").withPlatformString { chmod($0, 0o755) }
    for name in ["sh", "cat", "sleep", "echo", "true"] {
      _ = root.appending("bin/\(name)").withPlatformString { symlink("busybox", $0) }
    }
  }
}
