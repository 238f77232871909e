import PipelineDSL
import Testing

@Suite("Stages are values; names serve printing")
struct StageTests {
  @Test("Stages stand in the order of their first use, unused ones nowhere")
  func order() {
    assertImage {
      let tools = Stage("tools", from: .image("debian:12")) { Run("apt-get install -y make") }
      let library = Stage("library", from: tools) { Run("make library") }
      let program = Stage(from: tools) { Copy(library.directory("/lib"), to: "/lib") }
      _ = Stage("unused", from: tools) { Run("false") }
      return Stage("final", from: program) {
        Copy(library.file("/LICENSE"), to: "/")
        Run("ls \(tools.directory("/usr/share"))")
      }
    } dockerfile: {
      """
      FROM debian:12 AS tools
      RUN apt-get install -y make

      FROM tools AS library
      RUN make library

      FROM tools AS stage-2
      COPY --from=library /lib /lib

      FROM stage-2 AS final
      COPY --from=library /LICENSE /
      RUN --mount=type=bind,from=tools,source=/usr/share,target=/run/artifacts/1/share \\
          ls /run/artifacts/1/share
      """
    }
  }

  @Test("One template makes as many stages as it is used for")
  func templates() {
    struct Program: StageTemplate {
      struct Outputs: Sendable {
        let program = Output.executable("/out/program")
      }
      var source: Word
      var base: BaseImage { .image("gcc:14") }
      var platform: StagePlatform? { .build }
      var outputs: Outputs { Outputs() }
      var steps: [Step] {
        Copy(source, to: "/src/main.c")
        Run("gcc -static -o /out/program /src/main.c")
      }
    }
    assertImage {
      let hello = OutputStage("hello", Program(source: "hello.c"))
      let bye = OutputStage("bye", Program(source: "bye.c"))
      return Stage(from: hello) {
        Copy(bye.program, to: "/bye")
        Entrypoint(hello.program)
      }
    } dockerfile: {
      """
      FROM --platform=$BUILDPLATFORM gcc:14 AS hello
      COPY hello.c /src/main.c
      RUN gcc -static -o /out/program /src/main.c

      FROM --platform=$BUILDPLATFORM gcc:14 AS bye
      COPY bye.c /src/main.c
      RUN gcc -static -o /out/program /src/main.c

      FROM hello
      COPY --from=bye /out/program /bye
      ENTRYPOINT ["/out/program"]
      """
    }
  }

  @Test("Platforms of stages")
  func platforms() {
    assertImage {
      let one = Stage(from: .image("a"), platform: .linux("arm64"))
      let two = Stage(from: .image("a"), platform: .linux("arm", variant: "v7"))
      return Stage(from: .image("b"), platform: .target) {
        Copy(one.file("/x"), to: "/x")
        Copy(two.file("/x"), to: "/y")
      }
    } dockerfile: {
      """
      FROM --platform=linux/arm64 a AS stage-0

      FROM --platform=linux/arm/v7 a AS stage-1

      FROM --platform=$TARGETPLATFORM b
      COPY --from=stage-0 /x /x
      COPY --from=stage-1 /x /y
      """
    }
  }

  @Test("Bases: images with tags and digests, stages, contexts, nothing")
  func bases() {
    let digest = "sha256:" + String(repeating: "0a", count: 32)
    let python = BaseImage.image("python")
    let all: [BaseImage] = [
      .scratch, python, python.tagged("3"), python.tagged("3").pinned(to: digest),
      .context(BuildContext("busybox", ociLayout: "images/busybox")),
    ]
    assertImage {
      var last = Stage(from: .scratch)
      for base in all {
        let next = last
        last = Stage(from: base) { Copy(next.directory("/"), to: "/") }
      }
      return last
    } dockerfile: {
      """
      FROM scratch AS stage-0

      FROM scratch AS stage-1
      COPY --from=stage-0 / /

      FROM python AS stage-2
      COPY --from=stage-1 / /

      FROM python:3 AS stage-3
      COPY --from=stage-2 / /

      FROM python:3@\(digest) AS stage-4
      COPY --from=stage-3 / /

      FROM busybox
      COPY --from=stage-4 / /
      """
    }
  }

  @Test("A name that was given is never given again by us")
  func takenNames() {
    assertImage {
      let one = Stage(from: .image("a")) { Run("one") }
      let two = Stage("stage-0", from: .image("stage-2")) { Run("two") }
      let three = Stage(from: .image("a")) { Run("three") }
      return Stage(from: .scratch) {
        for stage in [one, two, three] { Copy(stage.file("/x"), to: "/") }
      }
    } dockerfile: {
      """
      FROM a AS stage-0-x
      RUN one

      FROM stage-2 AS stage-0
      RUN two

      FROM a AS stage-2-x
      RUN three

      FROM scratch
      COPY --from=stage-0-x /x /
      COPY --from=stage-0 /x /
      COPY --from=stage-2-x /x /
      """
    }
  }

  @Test("A stage may have the name of its own base")
  func nameOfBase() {
    assertImage {
      Stage("debian", from: .image("debian")) { Run("x") }
    } dockerfile: {
      """
      FROM debian AS debian
      RUN x
      """
    }
  }

  @Test(
    "Names that no stage can have",
    arguments: ["", "0", "Build", "a b", "-x", "bücher", "a/b", "scratch", "context"])
  func impossibleNames(name: String) {
    assertRefusal {
      Stage(name, from: .image("a")) {}
    } error: {
      name == "scratch" || name == "context"
        ? "'\(name)' has another meaning and cannot be the name of a stage"
        : """
        '\(name)' cannot be the name of a stage
        help: start with a small letter and use small letters, digits, '-', '_' and '.' only
        """
    }
  }

  @Test("Two stages with one name")
  func sameName() {
    assertRefusal {
      let one = Stage("build", from: .image("a")) {}
      return Stage("build", from: .image("b")) { Copy(one.file("/x"), to: "/x") }
    } error: {
      """
      two stages are called 'build'
      note: the other one is declared here
      help: give one of them another name, or none: only '--target' and printing need it
      """
    }
  }

  @Test("A bare name means one thing only")
  func ambiguousNames() {
    assertRefusal {
      let build = Stage("build", from: .image("a")) {}
      return Stage(from: build) { Copy(BaseImage.image("build").file("/x"), to: "/x") }
    } error: {
      """
      the image 'build' has the name of a stage
      note: the stage is declared here
      help: rename the stage, or give the image a tag
      """
    }
    assertRefusal {
      Stage("tools", from: .image("a")) {
        Copy(BuildContext("tools", directory: "/usr/bin").file("x"), to: "/x")
      }
    } error: {
      """
      the build context 'tools' has the name of a stage
      note: the stage is declared here
      help: rename one of them: a context would replace the stage
      """
    }
    assertRefusal {
      Stage(from: .image("docker.io/library/busybox:latest")) {
        Copy(BuildContext("busybox", directory: "/bin").file("busybox"), to: "/x")
      }
    } error: {
      """
      the image 'docker.io/library/busybox:latest' has the name of a build context
      note: the context is declared here
      help: rename the context: it would replace the image
      """
    }
    assertRefusal {
      Stage(from: .scratch) {
        Copy(BuildContext("x", directory: "/a").file("f"), to: "/")
        Copy(BuildContext("x", directory: "/b").file("f"), to: "/")
      }
    } error: {
      """
      the build context 'x' has two sources
      note: the other one is declared here
      help: declare it once with 'let' and use that value in both places
      """
    }
  }
}
