import Glibc
import Synchronization

/// A child process that a cancelled task has to tell.
final class ProcessHandle: Sendable {
  private let state = Mutex<(process: pid_t?, isCancelled: Bool)>((nil, false))

  /// Notes the process; it is told at once where that should already have happened.
  func set(_ process: pid_t) {
    let isCancelled = state.withLock { state in
      state.process = process
      return state.isCancelled
    }
    if isCancelled { kill(process, SIGTERM) }
  }

  /// Asks the process to end; it cleans up by itself.
  func terminate() {
    let process = state.withLock { state in
      state.isCancelled = true
      return state.process
    }
    if let process { kill(process, SIGTERM) }
  }
}
