import ArgumentParser
import Glibc
import PipelineDSL

/// `dockerfile`: prints the build as a Dockerfile.
struct DockerfileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dockerfile", abstract: "Print the equivalent Dockerfile.")

  @OptionGroup var graph: GraphOptions

  @Argument(help: "The directory that holds the Dockerfile.")
  var context: String?

  func run() async throws {
    let image = try graph.load(context: context)
    do {
      print(try DockerfilePrinter.print(image.graph), terminator: "")
    } catch {
      throw CommandFailure.badInput([error])
    }
  }
}
