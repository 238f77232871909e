import ArgumentParser
import Glibc
import PipelineDSL
import SystemPackage

/// `run`: a command in an image that was built here, in the sandbox that steps run in.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a command in a built image; its changes are thrown away.")

  @OptionGroup var state: StateOptions
  @OptionGroup var limits: LimitOptions

  @Option(help: "Network of the command: default or none.")
  var network: String = "default"

  @Argument(help: "The image's name, as given to build -t.")
  var image: String

  @Argument(parsing: .captureForPassthrough, help: "The command; the image's own without it.")
  var command: [String] = []

  func run() async throws {
    try await Privilege.require()
    if let notice = IdentityMap.notice { Terminal.report([notice]) }
    let store = try Store(at: state.directory)
    let image = try store.builtImage(image)
    let execution = image.configuration.config ?? .init()
    let arguments =
      command.isEmpty
      ? (execution.entrypoint ?? []) + (execution.command ?? []) : command
    guard !arguments.isEmpty else {
      throw CommandFailure.usage("the image names no command; give one after its name")
    }
    let root = RootTree(image.layers.map { store.directory(of: $0) })
    var request = RunRequest(
      root: root, arguments: arguments.map { Array($0.utf8) },
      environment: (execution.environment ?? []).map { Array($0.utf8) },
      workingDirectory: Array(PathText.join("/", execution.workingDirectory ?? "").utf8),
      user: execution.user ?? "", mounts: [], network: network == "none" ? .none : .host,
      allowsEverything: false)
    request.limits = try limits.limits
    let workspace = try store.makeWorkspace(below: root)
    defer { store.remove(workspace) }
    if TerminalSession.isPossible, let term = ProcessVariables.nonEmpty("TERM"),
      !request.environment.contains(where: { $0.starts(with: "TERM=".utf8) })
    {
      request.environment.append(Array("TERM=\(term)".utf8))
    }
    let status = try await store.sandbox.attach(request, in: workspace)
    switch status {
    case .exited(0): return
    case .exited(let code): throw ExitCode(code)
    case .signaled(let number): throw ExitCode(128 + number)
    }
  }
}
