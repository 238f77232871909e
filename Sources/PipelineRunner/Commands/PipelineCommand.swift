public import ArgumentParser
import Glibc
import PipelineDSL

/// The command line of this package: over a Dockerfile as `pipeline`, over a declaration as the
/// user's own program.
public struct PipelineCommand: AsyncParsableCommand {
  public static var configuration: CommandConfiguration {
    let declaration = Declaration.current
    return CommandConfiguration(
      commandName: declaration?.programName ?? "pipeline",
      abstract: declaration.map { "Builds the image that \($0.programName) declares." }
        ?? "Builds container images, without a daemon.",
      subcommands: [
        BuildCommand.self, CheckCommand.self, DockerfileCommand.self, GraphCommand.self,
        PlanCommand.self, ExplainCommand.self, VerifyCommand.self, UpdateCommand.self,
        RunCommand.self, ImagesCommand.self, SizesCommand.self, LoginCommand.self,
        LogoutCommand.self,
        RemoveCommand.self,
        PruneCommand.self, StoreCommand.self,
      ] + (declaration == nil ? [ConvertCommand.self] : []),
      // A bare `swift run MyImage` builds it.
      defaultSubcommand: declaration == nil ? nil : BuildCommand.self)
  }

  public init() {}

  /// Runs the process's arguments; the whole body of a `main.swift`.
  public static func start() async {
    await CommandExit.run { arguments in
      var command = try parseAsRoot(DockerSpelling.normalized(arguments))
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    }
  }
}
