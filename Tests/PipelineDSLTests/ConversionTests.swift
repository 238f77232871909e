import Foundation
import PipelineDSL
import Testing

@Suite("Converting Dockerfiles to Swift")
struct ConversionTests {
  /// What no declaration can say, and why.
  private static let leftOut = [
    "cmd-empty": ["the command of 'Command' is empty"],
    "from-stage-twice": ["another stage is called 'a' later"],
    "run-empty": ["the command of 'Run' is empty"],
    "run-exec-empty": ["'Run' names no program"],
  ]

  @Test("nothing is left out that could be said", arguments: CorpusFile.all)
  func complete(file: CorpusFile) throws {
    let graph = try #require(DockerfileParser.parse(file.bytes, file: file.name).graph)
    let program = SwiftConverter.program(for: graph)
    let reasons = Self.leftOut[file.name] ?? []
    #expect(
      program.diagnostics.map(\.message)
        == reasons.map { "a part of the Dockerfile is not in the program: \($0)" })
  }

  @Test("the programs compile, and each comes to the graph of its Dockerfile")
  func compiled() throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "conversion-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    var main = """
      import PipelineDSL

      func show(_ image: some ContainerImage) throws {
        let graph = try StageGraph(image)
        do {
          print(try DockerfilePrinter.print(graph), terminator: "\\u{0}")
        } catch {
          print(error.message, terminator: "\\u{0}")
        }
      }


      """
    var graphs: [(name: String, graph: StageGraph)] = []
    for (index, file) in CorpusFile.all.enumerated() where Self.leftOut[file.name] == nil {
      let graph = try #require(DockerfileParser.parse(file.bytes, file: file.name).graph)
      let program = SwiftConverter.program(for: graph, named: "Image\(index)", isMain: false)
      try program.source.write(
        to: directory.appending(path: "Image\(index).swift"), atomically: true, encoding: .utf8)
      main += "try show(Image\(index)())\n"
      graphs.append((file.name, graph))
    }
    try main.write(
      to: directory.appending(path: "main.swift"), atomically: true, encoding: .utf8)

    let products = try Products()
    let sources = try FileManager.default.contentsOfDirectory(atPath: directory.path())
      .filter { $0.hasSuffix(".swift") }.map { directory.appending(path: $0).path() }
    let executable = directory.appending(path: "images")
    let compiler = try run(
      "/usr/bin/env",
      ["swiftc", "-wmo", "-swift-version", "6", "-I", products.modules, "-o", executable.path()]
        + sources + products.objects)
    try #require(compiler.status == 0, "\(compiler.output)")
    #expect(compiler.output == "")

    let result = try run(executable.path(), [])
    try #require(result.status == 0, "\(result.output.suffix(2000))")
    let printed = result.output.split(separator: "\u{0}")
    try #require(printed.count == graphs.count)
    for (text, expected) in zip(printed, graphs) {
      let normal = expected.graph.normalized
      do throws(Diagnostic) {
        _ = try DockerfilePrinter.print(normal)
        let graph = DockerfileParser.parse(Array(text.utf8), file: expected.name).graph
        #expect(graph?.normalized == normal, "\(expected.name)")
      } catch {
        // With a backslash as the escape character not every graph can be printed.
        #expect(text == error.message, "\(expected.name)")
      }
    }
  }

  @Test("a whole program")
  func program() throws {
    let graph = try readGraph(
      """
      # The release to build on
      ARG TAG=3.20
      FROM --platform=$BUILDPLATFORM alpine:$TAG AS build
      RUN --mount=type=cache,target=/var/cache/apk apk add gcc && echo "done"
      ENV A=1 PATH=/opt/bin:$PATH
      COPY <<EOF /src/hello.c
      int main() { return 0; }
      EOF

      # tests
      FROM build AS test
      RUN <<EOF
      make test
      EOF

      FROM scratch
      COPY --from=build --chown=1000:1000 --chmod=755 /out /app
      HEALTHCHECK --interval=1m CMD ["/app", "-check"]
      EXPOSE 80 53/udp
      USER 1000
      ENTRYPOINT ["/app"]
      """)
    #expect(
      SwiftConverter.program(for: graph, named: "Hello").source == #"""
        import PipelineDSL
        import PipelineRunner

        @main
        struct Hello: ContainerImage {
          // The release to build on
          let tag = BuildArgument("TAG", default: "3.20")

          func image() -> Stage {
            let build = Stage("build", from: .image("alpine:\(tag)"), platform: .build) {
              Run("apk add gcc && echo \"done\"").mounting(Cache("/var/cache/apk", at: "/var/cache/apk"))
              Env(["A": "1", "PATH": "/opt/bin:\(Variable("PATH"))"])
              Copy(content: "int main() { return 0; }", to: "/src/hello.c")
            }

            // tests
            let test = Stage("test", from: build) {
              Run(script: "make test")
            }

            return Stage(from: .scratch) {
              Copy("/out", from: build, to: "/app").owned(by: .id(1000, group: 1000)).withMode(0o755)
              Healthcheck(arguments: ["/app", "-check"], every: .seconds(60))
              Expose(80, .udp(53))
              User("1000")
              Entrypoint("/app")
            }.alongside(test)
          }
        }

        """#)
  }

  @Test("what cannot be said stands in the program as a comment that names the line")
  func inexpressible() throws {
    let graph = try readGraph(
      "# escape=`\nFROM alpine\nENV A=${B:-`x}\nCOPY --from=scratch a /b\nRUN echo\n")
    let program = SwiftConverter.program(for: graph)
    #expect(
      program.source == """
        import PipelineDSL
        import PipelineRunner

        @main
        struct Image: ContainerImage {
          func image() -> Stage {
            return Stage(from: .image("alpine")) {
              // Dockerfile:3 is not in the program: '${B:-`x}' depends on the escape character `
              //   ENV A=${B:-`x}
              // Dockerfile:4 is not in the program: 'scratch' is not an image: write '.scratch'
              //   COPY --from=scratch a /b
              Run("echo")
            }
          }
        }

        """)
    #expect(program.diagnostics.map { $0.location?.line } == [3, 4])
  }

  // MARK: - Programs

  /// Where the package's own build has the module and its objects.
  private struct Products {
    let modules: String
    let objects: [String]

    init() throws {
      // The test bundle lies beside them.
      var directory = URL(filePath: ProcessInfo.processInfo.arguments[0])
      while directory.pathComponents.count > 1 {
        directory.deleteLastPathComponent()
        let build = directory.appending(path: "PipelineDSL.build")
        guard FileManager.default.fileExists(atPath: build.path()) else { continue }
        modules = directory.appending(path: "Modules").path()
        // Objects of sources that were renamed stay until the next clean build.
        let sources = try String(contentsOf: build.appending(path: "sources"), encoding: .utf8)
        let current = Set(
          sources.split(separator: "\n").map { URL(filePath: String($0)).lastPathComponent + ".o" })
        objects = try FileManager.default.contentsOfDirectory(atPath: build.path())
          .filter { current.contains($0) }.sorted().map { build.appending(path: $0).path() }
        return
      }
      throw CocoaError(.fileNoSuchFile)
    }
  }

  private func run(
    _ program: String, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
