import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Every block of Swift in the README, the articles and the documentation comments compiles.
@Suite("Documentation")
struct DocumentationTests {
  /// What the blocks may refer to without declaring it.
  private static let prelude = """
    import PipelineDSL
    extension ContainerImage { static func main() async {} }
    struct DocumentedImage: ContainerImage { func image() -> Stage { Stage(from: .scratch) } }
    let build = Stage("build", from: .image("gcc:14"))
    let toolchain = build
    let packages = ["gcc", "make"]
    let targets = ["all", "install"]
    let plugins = ["one", "two"]
    let prefix = "/opt/my app"
    let port = 8080
    let isDebug = true
    let pip = Cache("pip", at: "/root/.cache/pip")
    let token = Secret("token")
    let certificates = Secret("ca")
    struct LightPython: ContainerImage { func image() -> Stage { build } }
    struct CompiledWheels: StageTemplate {
      struct Outputs: Sendable { let wheels = Output.directory("/wheels") }
      var base: BaseImage
      var outputs: Outputs { Outputs() }
      var steps: [Step] { Run("make") }
    }

    """

  private struct Block {
    var path: String
    var line: Int
    var text: String
  }

  @Test("Every block of Swift compiles")
  func blocksCompile() throws {
    let root = Compiler.packageDirectory
    let articles = root + "/Sources/PipelineDSL/PipelineDSL.docc"
    var paths = [root + "/README.md"]
    paths += try Compiler.names(in: articles).filter { $0.hasSuffix(".md") }.map {
      articles + "/" + $0
    }
    for folder in ["Builder", "Shell", "Graph"] {
      let directory = root + "/Sources/PipelineDSL/" + folder
      paths += try Compiler.names(in: directory).map { directory + "/" + $0 }
    }
    var blocks: [Block] = []
    for path in paths { blocks += Self.blocks(in: try Compiler.read(path), path) }
    #expect(blocks.count > 40)

    var source = Self.prelude
    for (index, block) in blocks.enumerated() where !block.text.contains("PackageDescription") {
      source += "extension DocumentedImage {\nfunc block\(index)() throws -> Any? {\n"
      source += "#sourceLocation(file: \"\(block.path)\", line: \(block.line))\n"
      source += block.text
      source += "#sourceLocation()\nreturn nil\n}\n}\n"
    }
    let file = "/tmp/documentation-\(getpid()).swift"
    try Compiler.write(source, to: file)
    defer { remove(file) }
    let errors = try Compiler.check(file).split(separator: "\n").filter { $0.contains("error: ") }
    #expect(errors == [])
  }

  /// Blocks between lines of three backquotes, the first of which says `swift`.
  private static func blocks(in text: String, _ path: String) -> [Block] {
    var blocks: [Block] = []
    var open: Block?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, whole) in lines.enumerated() {
      var line = whole[...]
      if path.hasSuffix(".swift") {
        line = line.drop { $0 == " " }
        guard line.hasPrefix("///") else { continue }
        line = line.dropFirst(3)
        if line.hasPrefix(" ") { line = line.dropFirst() }
      }
      if let block = open {
        if line.hasPrefix("```") {
          blocks.append(block)
          open = nil
        } else {
          let isHidden = line.hasPrefix("import Pipeline") || line == "@main"
          open?.text += (isHidden ? "" : line.replacing("{ … }", with: "{}")) + "\n"
        }
      } else if line == "```swift" {
        open = Block(path: path, line: index + 2, text: "")
      }
    }
    return blocks
  }
}
