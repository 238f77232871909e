import PipelineDSL
import SystemPackage

/// Runs one command in a root of its own: namespaces, overlayfs, no daemon.
struct Sandbox: Sendable {
  /// A directory with nothing in it.
  var empty: FilePath

  enum Stream: Sendable {
    case standardOutput
    case standardError
  }

  /// Runs a command; its changes are in the workspace's upper directory afterwards.
  ///
  /// Cancelling the task kills every process of the command.
  func run(
    _ request: RunRequest, in workspace: Workspace,
    output: @escaping @Sendable (Stream, UnsafeRawBufferPointer) -> Void
  ) async throws -> ExitStatus {
    throw Diagnostic("the sandbox is being written")
  }
}
