import ArgumentParser
import Glibc
import PipelineDSL

/// `graph`: draws the stages and what passes between them.
struct GraphCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Show the stages and what they use of each other.")

  @OptionGroup var graph: GraphOptions

  @Option(help: "text, mermaid, dot or json.", transform: Self.format)
  var format: GraphDrawing.Format = .text

  @Argument(help: "The directory that holds the Dockerfile.")
  var context: String?

  func run() async throws {
    let image = try graph.load(context: context)
    print(GraphDrawing(image.graph).rendered(as: format), terminator: "")
  }

  private static func format(_ text: String) throws -> GraphDrawing.Format {
    guard let format = GraphDrawing.Format(rawValue: text) else {
      let names = GraphDrawing.Format.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("the formats are \(names)")
    }
    return format
  }
}
