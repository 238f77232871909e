import PipelineDSL
import Testing

@Suite("Build arguments")
struct BuildArgumentTests {
  @Test("A stage declares an argument before the first step that uses it, once")
  func declaration() {
    let version = BuildArgument("VERSION", default: "1.0")
    assertSteps {
      Run("first")
      Run("echo \(version)")
      Run("echo \(version) \(version)")
      Label("version", "v\(version)")
      Env("VERSION", "\(version)")
    } dockerfile: {
      """
      RUN first
      ARG VERSION=1.0
      RUN echo "${VERSION}"
      RUN echo "${VERSION}" "${VERSION}"
      LABEL version=v${VERSION}
      ENV VERSION=${VERSION}
      """
    }
  }

  @Test("Every kind of step that expands one declares it")
  func everyStep() {
    let a = BuildArgument("A")
    func steps(_ step: some Steps) {
      assertSteps {
        step
      } dockerfile: {
        let bare =
          (try? DockerfilePrinter.print(
            StageGraph(
              target: Stage(from: .scratch) {
                a
                step
              })))
        return bare?.split(separator: "\n").dropFirst().joined(separator: "\n") ?? ""
      }
    }
    steps(Copy("\(a)", to: "/x"))
    steps(Copy("x", to: "/\(a)"))
    steps(Copy("x", to: "/x").owned(by: .spelled("\(a)")))
    steps(Copy("x", to: "/x").withMode("\(a)"))
    steps(Add("\(a)", to: "/x").checked("\(a)"))
    steps(Expose(.spelled("\(a)")))
    steps(Volume("/\(a)"))
    steps(User("\(a)"))
    steps(User("x", group: "\(a)"))
    steps(WorkingDirectory("/\(a)"))
    steps(StopSignal("\(a)"))
    steps(Run("x").mounting(Cache("c"), at: "/\(a)"))
    steps(Run("x", "y").mountingMemory(at: "/\(a)"))
  }

  @Test("An argument of a base is global; a stage that uses it takes the global value")
  func globalArguments() {
    let version = BuildArgument("PYTHON", default: "3")
    let variant = BuildArgument("VARIANT", default: "\(version)-alpine")
    assertImage {
      let base = Stage(from: .image("python:\(variant)")) {
        Run("echo \(version)")
        version
      }
      return Stage(from: base) {
        Run("echo \(version)")
      }
    } dockerfile: {
      """
      ARG PYTHON=3
      ARG VARIANT=${PYTHON}-alpine

      FROM python:${VARIANT} AS stage-0
      ARG PYTHON
      RUN echo "${PYTHON}"
      ARG PYTHON

      FROM stage-0
      RUN echo "${PYTHON}"
      """
    }
  }

  @Test("A default that needs another argument has it declared first")
  func nestedDefaults() {
    let major = BuildArgument("MAJOR", default: "1")
    let version = BuildArgument("VERSION", default: "\(major).0")
    assertSteps {
      Run("echo \(version)")
    } dockerfile: {
      """
      ARG MAJOR=1
      ARG VERSION=${MAJOR}.0
      RUN echo "${VERSION}"
      """
    }
  }

  @Test("Arguments that have values without anybody giving them")
  func automatic() {
    assertImage {
      Stage(from: .image("golang:1.24"), platform: .build) {
        Run("GOOS=\(BuildArgument.targetOS) GOARCH=\(BuildArgument.targetArchitecture) go build")
      }
    } dockerfile: {
      """
      FROM --platform=$BUILDPLATFORM golang:1.24
      ARG TARGETOS
      ARG TARGETARCH
      RUN GOOS="${TARGETOS}" GOARCH="${TARGETARCH}" go build
      """
    }
  }

  @Test("One name cannot stand for two values at one place")
  func twoDefaults() {
    let one = BuildArgument("A", default: "1")
    let two = BuildArgument("A", default: "2")
    assertRefusal {
      Stage(from: .scratch) {
        Run("echo \(one)")
        Run("echo \(two)")
      }
    } error: {
      """
      the argument 'A' has two different defaults
      help: declare it once with 'let' and use that value in both places
      """
    }
    assertRefusal {
      let first = Stage(from: .image("a:\(one)"))
      return Stage(from: .image("b:\(two)")) { Copy(first.file("/x"), to: "/x") }
    } error: {
      """
      the argument 'A' has two different defaults
      note: the other one is used here
      help: declare it once with 'let' and use that value in both places
      """
    }
  }

  @Test("Arguments have no values where a container runs")
  func containers() {
    assertRefusal {
      Stage(from: .scratch) { Command(shell: "echo \(BuildArgument("A"))") }
    } error: {
      """
      CMD runs in a container, where the build argument 'A' has no value
      help: pass it on with 'Env("A", "\\(argument)")' and use that variable
      """
    }
  }

  @Test("Names that are none")
  func names() {
    assertRefusal {
      Stage(from: .scratch) { Run("echo \(BuildArgument("A-B"))") }
    } error: {
      "'A-B' cannot be the name of a variable"
    }
    assertRefusal {
      Stage(from: .scratch) { Env("X", "\(Variable("A:-rm"))") }
    } error: {
      "'A:-rm' cannot be the name of a variable"
    }
    assertRefusal {
      Stage(from: .image("x:\(BuildArgument(""))")) {}
    } error: {
      "'' cannot be the name of a variable"
    }
    assertRefusal {
      Stage(from: .scratch) { BuildArgument("9") }
    } error: {
      """
      '9' cannot be the name of an argument
      help: use letters, digits and '_', and no digit first
      """
    }
    assertRefusal {
      Stage(from: .scratch) {
        Copy(BaseImage.image("x:\(BuildArgument("A"))").file("/x"), to: "/x")
      }
    } error: {
      """
      'x:${A}' has an argument, which only the base of a stage can have
      help: declare a stage from this image and copy from that
      """
    }
  }
}
