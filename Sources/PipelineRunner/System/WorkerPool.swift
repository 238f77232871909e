import Dispatch
import Glibc
import Synchronization

/// One thread a processor for work that computes: hashing and compressing.
///
/// Jobs never wait for other jobs, so that any number of them may be queued by any number of
/// threads. The blocking calls of a build run elsewhere.
final class WorkerPool: Sendable {
  static let shared = WorkerPool()

  /// How many processors there are.
  static let width = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var next = 0
    /// How many threads run; nil before the first job.
    var threads: Int?
  }

  private let state = Mutex(State())
  private let available = DispatchSemaphore(value: 0)

  /// Queues a job; it starts as soon as a processor is free.
  func submit(_ job: @escaping @Sendable () -> Void) {
    let isQueued = state.withLock { state in
      let threads = state.threads ?? startThreads()
      state.threads = threads
      if threads > 0 { state.jobs.append(job) }
      return threads > 0
    }
    if isQueued { available.signal() } else { job() }
  }

  private func startThreads() -> Int {
    (0..<Self.width).count { _ in (try? WorkerThread.start { self.work() }) != nil }
  }

  private func work() {
    while true {
      available.wait()
      let job = state.withLock { state -> (@Sendable () -> Void)? in
        guard state.next < state.jobs.count else { return nil }
        let job = state.jobs[state.next]
        state.next += 1
        if state.next == state.jobs.count {
          state.jobs.removeAll(keepingCapacity: true)
          state.next = 0
        }
        return job
      }
      job?()
    }
  }
}

/// Jobs that belong together: waited for together, failing together.
final class JobGroup: Sendable {
  private struct State {
    var running = 0
    var submitted = 0
    var failure: (any Error)?
  }

  private let limit: Int
  private let state = Mutex(State())
  private let finished = DispatchSemaphore(value: 0)

  /// Keeps at most `limit` jobs under way beside the caller.
  init(limit: Int = min(2 * WorkerPool.width, 8)) {
    self.limit = limit
  }

  /// Runs a job on the pool, or here where enough of them are under way.
  func run(_ job: @escaping @Sendable () throws -> Void) {
    let isQueued = state.withLock { state in
      guard state.running < limit else { return false }
      state.running += 1
      state.submitted += 1
      return true
    }
    guard isQueued else { return perform(job) }
    WorkerPool.shared.submit {
      self.perform(job)
      self.state.withLock { $0.running -= 1 }
      self.finished.signal()
    }
  }

  /// Runs a job here.
  func perform(_ job: () throws -> Void) {
    if state.withLock({ $0.failure != nil }) { return }
    do {
      try job()
    } catch {
      state.withLock { $0.failure = $0.failure ?? error }
    }
  }

  /// Waits for every job.
  ///
  /// - Throws: the first failure.
  func wait() throws {
    let submitted = state.withLock { state in
      defer { state.submitted = 0 }
      return state.submitted
    }
    for _ in 0..<submitted { finished.wait() }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }
}
