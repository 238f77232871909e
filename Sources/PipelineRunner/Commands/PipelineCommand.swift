public import ArgumentParser

/// The `pipeline` command: the same build, over a Dockerfile.
public struct PipelineCommand: AsyncParsableCommand {
  public static let configuration = CommandConfiguration(commandName: "pipeline")

  public init() {}

  public func run() async throws {}

  /// Runs the process's arguments; the whole body of a `main.swift`.
  public static func start() async {
    await main()
  }
}
