import PipelineDSL
import Testing

@Suite("Swift decides which steps there are")
struct ControlFlowTests {
  enum Flavour {
    case plain
    case debug(level: Int)
  }

  @StepBuilder
  private static func steps(_ flavour: Flavour, user: String?, packages: [String]) -> [Step] {
    if packages.isEmpty {
      Run("true")
    } else {
      for package in packages where package != "none" {
        Run("apt-get install -y \(package)")
      }
    }
    if let user {
      User("\(user)")
    }
    switch flavour {
    case .plain: Env("DEBUG", "0")
    case .debug(let level):
      Env("DEBUG", "\(level)")
      Run("apt-get install -y gdb")
    }
    if #available(macOS 14, *) {
      Command("serve")
    }
  }

  @Test("if, else, for, where, if let, switch, availability")
  func branches() {
    assertSteps {
      Self.steps(.debug(level: 2), user: "app", packages: ["gcc", "none", "make"])
    } dockerfile: {
      """
      RUN apt-get install -y gcc
      RUN apt-get install -y make
      USER app
      ENV DEBUG=2
      RUN apt-get install -y gdb
      CMD ["serve"]
      """
    }
    assertSteps {
      Self.steps(.plain, user: nil, packages: [])
    } dockerfile: {
      """
      RUN true
      ENV DEBUG=0
      CMD ["serve"]
      """
    }
  }

  private struct InstallPackages: Steps {
    static let line = #line
    var packages: [String]

    var steps: [Step] {
      Run("apt-get update")
      Run("apt-get install -y \(packages)")
    }
  }

  @Test("Steps of one's own stand beside the others, and each keeps the line that wrote it")
  func ownSteps() throws {
    let line = #line
    let image = Stage(from: .image("debian:12")) {
      InstallPackages(packages: ["gcc", "libc6-dev"])
      [Step(.user("app")), Step(.stopSignal("9"))]
    }
    assertImage {
      image
    } dockerfile: {
      """
      FROM debian:12
      RUN apt-get update
      RUN apt-get install -y gcc libc6-dev
      USER app
      STOPSIGNAL 9
      """
    }
    let lines = try StageGraph(target: image).stages[0].steps.map { $0.location?.line }
    let own = InstallPackages.line
    #expect(lines == [own + 4, own + 5, line + 3, line + 3])
  }

  @Test("The place of a step is where its expression stands, in loops and in triggers")
  func places() throws {
    let line = #line
    let image = Stage(from: .scratch) {
      for name in ["a", "b"] {
        Copy("\(name)", to: "/")
      }
      OnBuild {
        Run("x")
      }
      Run("y")
        .network(.none)
    }
    let places = try StageGraph(target: image).stages[0].steps.compactMap(\.location)
    #expect(places.map(\.line) == [line + 3, line + 3, line + 6, line + 8])
    #expect(places.map(\.column) == [9, 9, 9, 7])
    #expect(Set(places.map(\.file)) == ["PipelineDSLTests/ControlFlowTests.swift"])
  }
}
