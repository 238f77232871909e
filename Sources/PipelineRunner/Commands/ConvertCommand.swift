import ArgumentParser
import Glibc
import PipelineDSL

/// `convert`: writes a Swift program that declares what a Dockerfile says.
struct ConvertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Print a Swift program that declares the same image.",
    discussion: """
      The program comes to the same stages and steps. What no declaration can say stands in it \
      as a comment that names the line, and is reported.
      """)

  @OptionGroup var graph: GraphOptions

  @Option(help: "The name of the program's type.")
  var name = "Image"

  @Argument(help: "The directory that holds the Dockerfile.")
  var context: String?

  func run() async throws {
    let isName =
      name.first.map { $0.isASCII && ($0.isLetter || $0 == "_") } == true
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    guard isName else {
      throw CommandFailure.usage(
        "'\(name)' cannot be the name of a type",
        help: "use letters and digits, and start with a capital")
    }
    let image = try graph.load(context: context)
    let program = SwiftConverter.program(for: image.graph, named: name)
    print(program.source, terminator: "")
    Terminal.report(program.diagnostics)
  }
}
