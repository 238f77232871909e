import Dispatch
import Synchronization

/// Threads for work that waits: as many as there is work at a time, kept for what comes next.
///
/// A concurrent dispatch queue starts about as many threads as there are processors and adds to
/// them only slowly, so that commands which wait for a network would run two at a time.
final class BlockingThreads: Sendable {
  static let shared = BlockingThreads()

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    /// Threads that wait and that no queued job counts on.
    var idle = 0
  }

  private let state = Mutex(State())
  private let available = DispatchSemaphore(value: 0)

  /// Starts a job at once.
  func run(_ job: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.jobs.append(job)
      guard state.idle > 0 else { return true }
      state.idle -= 1
      return false
    }
    available.signal()
    guard needsThread else { return }
    do {
      try WorkerThread.start { self.work() }
    } catch {
      // Without another thread the job waits for one of dispatch's.
      DispatchQueue.global().async { self.work() }
    }
  }

  private func work() {
    while true {
      available.wait()
      let job = state.withLock { state in
        state.jobs.isEmpty ? nil : state.jobs.removeFirst()
      }
      job?()
      state.withLock { $0.idle += 1 }
    }
  }
}
