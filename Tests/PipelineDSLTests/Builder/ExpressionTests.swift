import PipelineDSL
import Testing

/// Expressions that people write and that only have to compile: they guard the shape of the API.
@Suite("Expressions")
struct ExpressionTests {
  private struct Failing: ContainerImage {
    struct Missing: Error {}

    var name: String { "failing" }
    var platforms: [Platform] { [.linux("amd64"), .linux("arm", variant: "v7")] }
    var annotations: [String: String] { ["org.opencontainers.image.vendor": "us"] }
    var sourceDateEpoch: Int? { 1_700_000_000 }

    func image() throws -> Stage { throw Missing() }
  }

  private struct Plain: ContainerImage {
    var sourceDateEpoch: Int? { 7 }
    var arguments: [BuildArgument] { [BuildArgument("A", default: "1")] }

    func image() -> Stage {
      Stage(from: .image("alpine:3")) {
        Copy(BuildContext("data", directory: "../data").directory("/"), to: "/")
        Copy(BuildContext("other").directory("/"), to: "/")
      }
    }
  }

  private struct TwoSteps<Inner: Steps>: Steps {
    var inner: Inner

    var steps: [Step] {
      inner
      inner
    }
  }

  @StepBuilder
  private func common(_ isDebug: Bool) -> [Step] {
    let flags = isDebug ? "-g" : "-O2"
    Env("CFLAGS", "\(flags)")
    if isDebug { Run("apt-get install -y gdb") }
  }

  private func expressions(isDebug: Bool, names: [String], maybe: Stage?) -> Stage {
    let tools = Stage(from: isDebug ? .image("gcc:14") : .scratch)
    let base: BaseImage = isDebug ? .stage(tools) : .image("debian:\(12)-slim")
    let digest = "sha256:" + String(repeating: "0", count: 64)
    let stages = names.map { name in Stage("s-\(name)", from: base) { Run("make \(name)") } }
    let context = BuildContext("busybox", image: "busybox:1")
    let artifacts: [any ArtifactReference] = [
      tools.file("/a"), tools.directory("/b"), context.executable("/c"),
    ]
    let late: any Steps = Run("late")
    return Stage("all", from: base, platform: isDebug ? .build : nil) {
      common(isDebug)
      TwoSteps(inner: Run("inner"))
      late.steps
      for stage in stages { Copy(stage.file("/out"), to: "/\(stage.hashValue)") }
      for (index, artifact) in artifacts.enumerated() { Copy(artifact, to: "/\(index)") }
      if let maybe { Copy("/x", from: maybe, to: "/x") }
      Copy("/x", from: context, to: "/x")
      Copy("/x", from: .image("a@\(digest)"), to: "/x")
      Copy("/x", from: BaseImage.image("a").tagged("b").pinned(to: digest), to: "/x")
      Run("cat \(artifacts[0]) \(names) \(names.count) \(raw: isDebug ? "-v" : "")")
      if #available(macOS 15, *) { Expose(80) }
      switch names.count {
      case 0: Command("none")
      case 1...3: Command("few")
      default: Command(arguments: names)
      }
    }.alongside(tools)
  }

  @Test("A function of expressions makes a graph")
  func expressionsMakeGraph() throws {
    let image = expressions(isDebug: true, names: ["a", "b"], maybe: nil)
    #expect(try StageGraph(target: image).stages.map(\.name) == ["stage-0", "s-a", "s-b", "all"])
  }

  @Test("What an image's declaration throws reaches the caller")
  func throwingImage() {
    #expect(throws: Failing.Missing.self) { try StageGraph(Failing()) }
  }

  @Test("A declaration tells its epoch, its arguments and where its contexts come from")
  func declaration() throws {
    let declaration = try ImageDeclaration(Plain())
    #expect(declaration.graph.sourceDateEpoch == 7)
    #expect(declaration.graph.globals.count == 1)
    #expect(declaration.contexts.map(\.name) == ["data", "other"])
    #expect(declaration.contexts.map(\.source) == ["../data", nil])
    #expect(Plain().name == "plain")
  }
}
