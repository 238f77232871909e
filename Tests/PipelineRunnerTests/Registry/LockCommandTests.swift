import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// `update` and the builds after it, against real servers: docker-registry, and Python's for files
/// and for git.
@Suite("Sources pinned by Image.lock")
struct LockCommandTests {
  let site: CommandSite

  init() throws {
    site = try CommandSite()
  }

  private var lock: FilePath { site.context.appending("Image.lock") }

  private func update(_ arguments: String...) async throws -> String {
    let output = try await site.run(arguments: ["update"] + arguments + [site.context.string])
    try #require(output.status == 0, Comment(rawValue: output.errors))
    return output.text
  }

  /// What a build with a store of its own puts into a file of the image.
  private func built(_ file: String, _ arguments: String...) async throws -> String {
    let name = Store.uniqueName()
    let output = try await site.run(
      arguments: ["build", "-o", "type=local,dest=\(site.path)/\(name)"] + arguments
        + [site.context.string],
      environment: ["PIPELINE_STATE_DIR": site.path.appending("\(name).state").string])
    try #require(output.status == 0, Comment(rawValue: output.errors))
    return try site.content(site.path.appending("\(name)/\(file)"))
  }

  /// A build that has to fail, and what it says.
  private func failure(_ arguments: String...) async throws -> String {
    let output = try await site.run(
      arguments: ["build"] + arguments + [site.context.string],
      environment: ["PIPELINE_STATE_DIR": site.path.appending(Store.uniqueName()).string])
    #expect(output.status == 1)
    return output.errors
  }

  /// Puts an image with one file under a tag; the result is its digest.
  private func push(_ text: String, as name: String, _ platforms: String = "") async throws
    -> String
  {
    try site.directory.write("base/file", text)
    try site.directory.write("base/Dockerfile", "FROM scratch\nCOPY file /file\n")
    let output = try await site.run(
      arguments: ["build", "--iidfile", "\(site.path)/id", "-t", name, "--push"]
        + (platforms.isEmpty ? [] : ["--platform", platforms]) + ["\(site.path)/base"])
    try #require(output.status == 0, Comment(rawValue: output.errors))
    return try site.content(site.path.appending("id"))
  }

  private func write(_ dockerfile: String) throws {
    try site.directory.write("context/Dockerfile", dockerfile)
  }

  @Test("a build keeps to the image that a tag stood for, until an update takes the new one")
  func image() async throws {
    let registry = try DockerRegistry()
    let name = "\(registry.host)/base:1"
    _ = try await push("one", as: name)
    try write("FROM \(name)\n")
    let first = try await update()
    #expect(first.contains("+ \(name)  \(Platform.current)  sha256:"))
    #expect(first.hasSuffix("wrote '\(lock)': 1 change\n"))
    let pinned = try #require(try LockFile.read(lock)?.images[name]?["\(Platform.current)"])
    #expect(try await update() == "'\(lock)' is up to date\n")
    _ = try await push("two", as: name)
    #expect(try await built("file", "--locked") == "one")
    #expect(try await built("file", "--lock-file", "\(site.path)/none") == "two")
    let second = try await update()
    let now = try #require(try LockFile.read(lock)?.images[name]?["\(Platform.current)"])
    #expect(now != pinned)
    #expect(
      second == """
          \(name)  \(Platform.current)  sha256:\(pinned.hex.prefix(12)) → sha256:\(now.hex.prefix(12))
        wrote '\(lock)': 1 change

        """)
    #expect(try await built("file", "--locked") == "two")
  }

  @Test("each platform has its own pin, and all of them are renewed")
  func platforms() async throws {
    let registry = try DockerRegistry()
    let name = "\(registry.host)/base:1"
    let both = "linux/amd64,linux/arm64"
    _ = try await push("one", as: name, both)
    try write("FROM \(name)\n")
    _ = try await update("--platform", both)
    let old = try #require(try LockFile.read(lock)?.images[name])
    #expect(old.keys.sorted() == ["linux/amd64", "linux/arm64"])
    #expect(Set(old.values).count == 2)
    _ = try await push("two", as: name, both)
    #expect(try await built("file", "--platform", "linux/arm64") == "one")
    _ = try await update()
    let new = try #require(try LockFile.read(lock)?.images[name])
    #expect(new.keys.sorted() == ["linux/amd64", "linux/arm64"])
    #expect(new.allSatisfy { old[$0.key] != $0.value })
  }

  @Test("--locked refuses a base that is not listed, and wants a file at all")
  func locked() async throws {
    let registry = try DockerRegistry()
    for name in ["base", "other"] { _ = try await push(name, as: "\(registry.host)/\(name):1") }
    try write("FROM \(registry.host)/base:1\n")
    let missing = try await site.run(arguments: ["build", "--locked", site.context.string])
    #expect(missing.status == 64)
    #expect(missing.errors.contains("--locked wants a lock file, and there is no '\(lock)'"))
    _ = try await update()
    try write(
      "FROM \(registry.host)/base:1\nCOPY --from=\(registry.host)/other:1 /file /other\n")
    let text = try await failure("--locked")
    #expect(text.contains("'\(registry.host)/other:1' is not pinned in '\(lock)'"))
    #expect(text.contains("Dockerfile:2:"))
    #expect(text.contains("pin it with 'update'"))
    // Without the word it is told, and built.
    #expect(try await built("other") == "other")
  }

  @Test("a download whose content changed is refused, until an update takes it")
  func download() async throws {
    try site.directory.write("web/data.txt", "one")
    let server = try FileServer(site.path.appending("web"))
    try write("FROM scratch\nADD \(server.address)/data.txt /file\n")
    #expect(try await update().contains("+ \(server.address)/data.txt  sha256:"))
    #expect(try await built("file", "--locked") == "one")
    try site.directory.write("web/data.txt", "two!")
    let text = try await failure("--locked")
    #expect(text.contains("'\(server.address)/data.txt'"), Comment(rawValue: text))
    #expect(text.contains("Dockerfile:2:1"))
    #expect(text.contains(try #require(LockFile.read(lock)?.downloads.values.first).hex))
    #expect(text.contains("or the lock file with 'update'"))
    _ = try await update()
    #expect(try await built("file", "--locked") == "two!")
  }

  @Test("a branch stays at its commit until an update, and a commit needs no pin")
  func commit() async throws {
    let repository = "\(site.path)/repository"
    func git(_ arguments: String...) async throws -> String {
      try await site.tool(
        ["git", "-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.org"]
          + arguments,
        environment: ["GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"])
    }
    func commit(_ text: String) async throws -> String {
      try site.directory.write("repository/file", text)
      _ = try await git("add", "file")
      _ = try await git("commit", "--quiet", "-m", text)
      _ = try await git("push", "--quiet", "--force", "\(site.path)/web/app.git", "main")
      _ = try await git("-C", "\(site.path)/web/app.git", "update-server-info")
      return try await git("rev-parse", "HEAD")
    }
    try await site.tool(["git", "init", "--quiet", "--initial-branch=main", repository])
    try await site.tool([
      "git", "init", "--quiet", "--bare", "--initial-branch=main", "\(site.path)/web/app.git",
    ])
    let server = try FileServer(site.path.appending("web"))
    let address = "\(server.address)/app.git#main"
    let first = try await commit("one")
    try write("FROM scratch\nADD \(address) /src/\n")
    #expect(try await update().contains("+ \(address)  \(first.prefix(12))\n"))
    #expect(try LockFile.read(lock)?.commits == [address: first])
    let second = try await commit("two")
    #expect(try await built("src/file", "--locked") == "one")
    #expect(
      try await update().contains("  \(address)  \(first.prefix(12)) → \(second.prefix(12))\n"))
    #expect(try await built("src/file", "--locked") == "two")
    try write("FROM scratch\nADD \(server.address)/app.git#\(first) /src/\n")
    #expect(try await built("src/file", "--locked") == "one")
  }

  @Test("a Swift program updates its lock file, and plans by it")
  func program() async throws {
    let registry = try DockerRegistry()
    let file = "\(site.path)/Image.lock"
    let names = ["python:3", "python:3-alpine"]
    for name in names { _ = try await push(name, as: "\(registry.host)/\(name)") }
    let arguments =
      ["--lock-file", file]
      + names.flatMap { ["--build-context", "\($0)=docker-image://\(registry.host)/\($0)"] }
    let output = try await site.run("LightPython", ["update"] + arguments)
    try #require(output.status == 0, Comment(rawValue: output.errors))
    #expect(output.text.hasSuffix("wrote '\(file)': 2 changes\n"))
    let lock = try #require(try LockFile.read(FilePath(file)))
    #expect(lock.images.count == 2)
    for name in names { _ = try await push("moved", as: "\(registry.host)/\(name)") }
    let plan = try await site.run("LightPython", ["plan", "--locked"] + arguments)
    #expect(plan.status == 0, Comment(rawValue: plan.errors))
    let again = try await site.run("LightPython", ["update"] + arguments)
    #expect(again.text.hasSuffix("wrote '\(file)': 2 changes\n"))
    #expect(again.text.split(separator: "\n").count { $0.contains(" → ") } == 2)
  }
}

/// Python's own server over a directory.
final class FileServer: Sendable {
  let address: String
  private let process: ServerProcess

  init(_ directory: FilePath) throws {
    process = try ServerProcess(
      [
        "python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory",
        directory.string,
      ], announcing: "Serving HTTP on 127.0.0.1 port ")
    address = "http://127.0.0.1:\(process.announced.prefix { $0.isNumber })"
  }
}
