import Foundation
import Testing

/// Builds that are handed over to a builder of docker's: what docker is called with, told by a
/// program that stands in its place.
@Suite("Building with --builder")
struct BuilderTests {
  private let directory: ScratchDirectory

  init() throws {
    directory = try ScratchDirectory()
    try FileManager.default.createDirectory(
      atPath: directory.appending("bin"), withIntermediateDirectories: true)
    try write("context/file", "content\n")
    let script = """
      #!/bin/sh
      if [ "$2" = version ]; then exit "${WITHOUT_BUILDX:-0}"; fi
      cd "$RECORD" && printf '%s\\n' "$@" > arguments
      while [ $# -gt 0 ]; do
        if [ "$1" = --file ]; then
          cp "$2" Dockerfile
          cp "$2.dockerignore" ignore 2>/dev/null
          echo "$2" > place
        fi
        shift
      done
      echo 'from the builder' >&2
      exit "${STATUS:-0}"

      """
    // Written by another process: a child that is started here meanwhile would inherit the open
    // file, and the kernel runs no program that somebody writes to.
    let written = try ProgramRun.wait(
      for: "sh", ["-c", "cat > \"$0\" && chmod 755 \"$0\"", directory.appending("bin/docker")],
      input: Array(script.utf8))
    try #require(written.status == 0, "\(written.errors)")
  }

  private func write(_ name: String, _ text: String) throws {
    let url = URL(fileURLWithPath: directory.appending(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private func read(_ name: String) -> String? {
    try? String(contentsOfFile: directory.appending(name), encoding: .utf8)
  }

  private func build(
    _ arguments: [String], with program: String = "pipeline", environment: [String: String] = [:]
  ) async throws -> ProgramRun {
    let path = "\(directory.appending("bin")):/usr/bin:/bin"
    return try await BuiltProgram.run(
      program, ["build", "--builder", "far"] + arguments, state: directory.appending("state"),
      environment: environment.merging(["PATH": path, "RECORD": directory.path]) { given, _ in
        given
      })
  }

  @Test("a Dockerfile goes there with everything that it is built with")
  func dockerfile() async throws {
    try write("docker/Dockerfile.web", "FROM scratch\nCOPY file /\n")
    try write("docker/Dockerfile.web.dockerignore", "secret\n")
    let context = directory.appending("context")
    let run = try await build([
      "-f", directory.appending("docker/Dockerfile.web"), "-t", "web", "--build-arg", "A=1",
      "--secret", "id=x,src=/dev/null", "--platform", "linux/amd64,linux/arm64", "--provenance",
      "max", "--source-date-epoch", "7", "-o", "type=registry", "--progress", "json", context,
    ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("from the builder"))
    let arguments = try #require(read("arguments")).split(separator: "\n").map(String.init)
    let place = try #require(read("place")).trimmingCharacters(in: .newlines)
    #expect(
      arguments == [
        "buildx", "build", "--builder", "far", "--file", place, "--tag",
        "docker.io/library/web:latest", "--build-arg", "SOURCE_DATE_EPOCH=7", "--build-arg", "A=1",
        "--secret", "id=x,src=/dev/null", "--platform", "linux/amd64,linux/arm64", "--output",
        "type=registry", "--provenance", "mode=max", "--progress", "rawjson", context,
      ])
    #expect(read("Dockerfile") == "FROM scratch\nCOPY file /\n")
    #expect(read("ignore") == "secret\n")
    #expect(!FileManager.default.fileExists(atPath: place))
  }

  @Test("a declaration goes there as the Dockerfile that it prints as")
  func declaration() async throws {
    let run = try await build([], with: "MyImage")
    #expect(run.status == 0, "\(run.errors)")
    let printed = try await BuiltProgram.run("MyImage", ["dockerfile"], state: directory.path)
    #expect(read("Dockerfile") == printed.text)
    let arguments = try #require(read("arguments")).split(separator: "\n").map(String.init)
    let context = try #require(arguments.firstIndex(of: "--build-context"))
    #expect(arguments[context + 1] == "host-bin=/bin")
  }

  @Test("locked bases replace their names")
  func lock() async throws {
    let digest = "sha256:" + String(repeating: "a", count: 64)
    try write("context/Dockerfile", "FROM python:3\nFROM quay.io/a/b\n")
    try write(
      "context/Image.lock",
      """
      {"version": 1, "images": {
        "docker.io/library/python:3": {"linux/amd64": "\(digest)"},
        "quay.io/a/b:latest": {"linux/amd64": "\(digest)", "linux/arm64": "\(digest)"}
      }}
      """)
    let run = try await build([
      "-f", directory.appending("context/Dockerfile"), "--platform", "linux/amd64",
      directory.appending("context"),
    ])
    #expect(run.status == 0, "\(run.errors)")
    let arguments = try #require(read("arguments")).split(separator: "\n").map(String.init)
    #expect(
      arguments.filter { $0.contains("docker-image://") } == [
        "python:3=docker-image://docker.io/library/python@\(digest)",
        "quay.io/a/b=docker-image://quay.io/a/b@\(digest)",
      ])
  }

  @Test("what cannot be done there is said, and a failure is one here")
  func failures() async throws {
    try write("context/Dockerfile", "FROM scratch\nCOPY file /\n")
    let context = directory.appending("context")
    let failed = try await build([context], environment: ["STATUS": "3"])
    #expect(failed.status == 1)
    #expect(failed.errors.contains("the builder 'far' did not make the image"))
    let limited = try await build(["--memory", "1g", context])
    #expect(limited.status == 64)
    #expect(limited.errors.contains("--memory is not possible with --builder"))
    let bare = try await build([context], environment: ["WITHOUT_BUILDX": "1"])
    #expect(bare.status == 1)
    #expect(bare.errors.contains("buildx plugin"))
    // Nothing there but what this test itself is run by.
    try FileManager.default.createDirectory(
      atPath: directory.appending("few"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: directory.appending("few/timeout"), withDestinationPath: "/usr/bin/timeout")
    let missing = try await build([context], environment: ["PATH": directory.appending("few")])
    #expect(missing.status == 1)
    #expect(missing.errors.contains("'docker', which is not there"))
  }
}
