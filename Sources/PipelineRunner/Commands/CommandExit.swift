import ArgumentParser
import Dispatch
import Glibc
import PipelineDSL

/// Runs a command and ends the process with the status that DESIGN promises: 0 built, 1 failed, 64
/// usage, 65 a bad Dockerfile or declaration, 130 interrupted.
enum CommandExit {
  static func run(_ body: @escaping @Sendable ([String]) async throws -> Void) async -> Never {
    // A closed pipe is a write error where we write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    raiseFileLimit()
    let task = Task { try await body(Array(Swift.CommandLine.arguments.dropFirst())) }
    let signals = [SIGINT, SIGTERM].map { cancelling(task, on: $0) }
    let status = await status(of: task)
    withExtendedLifetime(signals) {}
    exit(status)
  }

  /// Layers of deep images and wide copies hold many descriptors; the soft limit of 1024 is a
  /// default for programs that use select(2).
  private static func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 65536)
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Cancels the build on a signal: steps are killed and reaped before the process ends.
  private static func cancelling(
    _ task: Task<Void, any Error>, on number: CInt
  ) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler { task.cancel() }
    source.activate()
    return source
  }

  private static func status(of task: Task<Void, any Error>) async -> CInt {
    do {
      try await task.value
      return 0
    } catch let error as CommandFailure {
      Terminal.report(error.diagnostics)
      return error.status
    } catch let error as Diagnostic {
      Terminal.report([error])
      return 1
    } catch let error as Diagnostics {
      Terminal.report(error.all)
      return 1
    } catch let error as SystemError {
      Terminal.report([error.diagnostic("the build stopped")])
      return 1
    } catch is CancellationError {
      StandardError.write("cancelled: every step was stopped and cleaned up\n")
      return 130
    } catch let error as ExitCode {
      return error.rawValue
    } catch {
      return usage(error)
    }
  }

  /// What the argument parser has to say: help on standard output, mistakes on standard error.
  private static func usage(_ error: any Error) -> CInt {
    let text = PipelineCommand.fullMessage(for: error)
    guard PipelineCommand.exitCode(for: error) != .success else {
      print(text)
      return 0
    }
    StandardError.write(text + "\n")
    return 64
  }
}

/// Diagnostics that end a command with a status of their own.
struct CommandFailure: Error {
  var diagnostics: [Diagnostic]
  var status: CInt

  /// A Dockerfile or declaration that cannot be built from.
  static func badInput(_ diagnostics: [Diagnostic]) -> CommandFailure {
    CommandFailure(diagnostics: diagnostics, status: 65)
  }

  /// Options that make no sense.
  static func usage(_ message: String, help: String? = nil) -> CommandFailure {
    CommandFailure(diagnostics: [Diagnostic(message, help: help)], status: 64)
  }
}
