import PipelineDSL
import Testing

@Suite("Artifacts carry the edge between two stages")
struct ArtifactTests {
  @Test("An artifact of a stage is copied from it, and declared where the stage ends")
  func stageArtifact() throws {
    let build = Stage("build", from: .image("gcc:14")) {
      Run("make install DESTDIR=/out")
    }
    let line = #line
    let image = Stage(from: .scratch) {
      Copy(build.executable("/out/app"), to: "/app")
      Copy(build.directory("/out/share"), to: "/share")
      Copy("/out/*.conf", from: build, to: "/etc/")
      Entrypoint("/app")
    }
    assertImage {
      image
    } dockerfile: {
      """
      FROM gcc:14 AS build
      RUN make install DESTDIR=/out

      FROM scratch
      COPY --from=build /out/app /app
      COPY --from=build /out/share /share
      COPY --from=build /out/*.conf /etc/
      ENTRYPOINT ["/app"]
      """
    }
    let graph = try StageGraph(target: image)
    #expect(
      graph.stages[0].artifacts.map { "\($0.kind) \($0.path)" } == [
        "executable /out/app", "directory /out/share",
      ])
    #expect(graph.stages[0].artifacts[0].location?.file == "PipelineDSLTests/ArtifactTests.swift")
    #expect(graph.stages[0].artifacts[0].location?.line == line + 2)
  }

  @Test("Artifacts of images and of contexts need no stage")
  func otherTrees() {
    let host = BuildContext("host-bin", directory: "/bin")
    assertSteps {
      Copy(BaseImage.image("nginx:1.29").file("/etc/nginx/nginx.conf"), to: "/etc/nginx.conf")
      Copy(host.executable("busybox"), to: "/bin/busybox")
      Copy("b*", from: host, to: "/bin/")
      Copy(BuildContext.main.file("main.c"), to: "/src/")
    } dockerfile: {
      """
      COPY --from=nginx:1.29 /etc/nginx/nginx.conf /etc/nginx.conf
      COPY --from=host-bin busybox /bin/busybox
      COPY --from=host-bin b* /bin/
      COPY main.c /src/
      """
    }
  }

  @Test("A path with characters that COPY gives a meaning is that path only")
  func exactPath() {
    assertSteps {
      Copy(BaseImage.image("a").file("/w[x]*?"), to: "/x")
      Copy(BaseImage.image("a").file("/b $lank"), to: "/x")
    } dockerfile: {
      """
      COPY --from=a /w[[]x][*][?] /x
      COPY --from=a ["\\"/b \\\\$lank\\"", "/x"]
      """
    }
  }

  @Test("Outputs of a stage have labels: in a tuple, in a struct, or a single one")
  func outputs() throws {
    struct Parts: Sendable {
      let program = Output.executable("/out/app")
    }
    let tuple = OutputStage(
      from: .image("node:22"),
      outputs: (site: Output.directory("/out/site"), report: Output.file("/out/report"))
    ) {
      Run("npm run build")
    }
    let parts = OutputStage("parts", from: .image("gcc:14"), outputs: Parts()) { Run("make") }
    let single = OutputStage(from: .image("gcc:14"), outputs: Output.file("/notes")) { Run("make") }
    let site: Artifact<Directory> = tuple.site
    let report: Artifact<File> = tuple.report
    let program: Artifact<Executable> = parts.program
    let notes: Artifact<File> = single.output()
    let image = Stage(from: .scratch) {
      Copy(site, to: "/www")
      Copy(report, to: "/report")
      Copy(program, to: "/app")
      Copy(notes, to: "/notes")
    }
    assertImage {
      image
    } dockerfile: {
      """
      FROM node:22 AS stage-0
      RUN npm run build

      FROM gcc:14 AS parts
      RUN make

      FROM gcc:14 AS stage-2
      RUN make

      FROM scratch
      COPY --from=stage-0 /out/site /www
      COPY --from=stage-0 /out/report /report
      COPY --from=parts /out/app /app
      COPY --from=stage-2 /notes /notes
      """
    }
    #expect(
      try StageGraph(target: image).stages.map { $0.artifacts.map(\.path) } == [
        ["/out/site", "/out/report"], ["/out/app"], ["/notes"], [],
      ])
  }

  @Test("An output that nobody takes is promised all the same")
  func unusedOutput() throws {
    let build = OutputStage(
      "build", from: .image("gcc:14"),
      outputs: (app: Output.executable("/app"), docs: Output.directory("/docs"))
    ) {
      Run("make")
    }
    let image = Stage(from: .scratch) { Copy(build.app, to: "/app") }
    #expect(try StageGraph(target: image).stages[0].artifacts.map(\.path) == ["/app", "/docs"])
  }

  @Test(
    "A started program has the path that it has in its stage, where it is looked for at the end")
  func startedProgram() throws {
    let build = Stage("build", from: .image("gcc:14")) { Run("make") }
    let app = build.executable("/out/bin/app")
    let copied = Stage("copied", from: .scratch) {
      Copy(app, to: "/usr/bin/")
    }
    let image = Stage(from: copied) {
      Entrypoint(app, "--serve")
      Command(app)
    }
    assertImage {
      image
    } dockerfile: {
      """
      FROM gcc:14 AS build
      RUN make

      FROM scratch AS copied
      COPY --from=build /out/bin/app /usr/bin/

      FROM copied
      ENTRYPOINT ["/usr/bin/app", "--serve"]
      CMD ["/usr/bin/app"]
      """
    }
    let last = try #require(try StageGraph(target: image).stages.last)
    #expect(last.artifacts.map { "\($0.kind) \($0.path)" } == ["executable /usr/bin/app"])
  }

  @Test("A program that came with its directory is found below the destination")
  func programInDirectory() {
    let build = Stage("build", from: .image("gcc:14")) { Run("make") }
    assertImage {
      Stage(from: .scratch) {
        Copy(build.directory("/out"), to: "/opt/app")
        Entrypoint(build.executable("/out/bin/app"))
      }
    } dockerfile: {
      """
      FROM gcc:14 AS build
      RUN make

      FROM scratch
      COPY --from=build /out /opt/app
      ENTRYPOINT ["/opt/app/bin/app"]
      """
    }
  }

  @Test("A program is the stage's own, or its base's")
  func ownProgram() {
    let python = BaseImage.image("python:3")
    assertImage {
      Stage(from: python) { Entrypoint(python.executable("/usr/bin/python3"), "-V") }
    } dockerfile: {
      """
      FROM python:3
      ENTRYPOINT ["/usr/bin/python3", "-V"]
      """
    }
  }
}
