import Synchronization

/// Work on many files that waits for the disk more than it computes, on several threads.
///
/// A call that removes a file may wait for the file system's journal; beside each other they wait
/// for it together.
enum FileWork {
  private static let width = 8
  private static let batch = 32

  private final class Progress<Value: Sendable>: Sendable {
    struct State {
      var next = 0
      var values: [Int: [Value]] = [:]
      var failure: (any Error)?
    }

    let state = Mutex(State())
  }

  /// Calls the body with every item, and gives what it returns in the items' order.
  ///
  /// - Throws: the first failure; what other threads have begun is then done, and no more.
  static func compactMap<Item: Sendable, Value: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) throws -> Value?
  ) throws -> [Value] {
    let threads = min(width, items.count / batch)
    guard threads > 1 else { return try items.compactMap(body) }
    let progress = Progress<Value>()
    let work: @Sendable () -> Void = {
      while true {
        let start = progress.state.withLock { state -> Int? in
          guard state.failure == nil, state.next < items.count else { return nil }
          defer { state.next += batch }
          return state.next
        }
        guard let start else { return }
        do {
          let values = try items[start..<min(start + batch, items.count)].compactMap(body)
          progress.state.withLock { $0.values[start] = values }
        } catch {
          progress.state.withLock { $0.failure = $0.failure ?? error }
        }
      }
    }
    // A thread less makes it slower and nothing else.
    let others = (1..<threads).compactMap { _ in try? WorkerThread.start(work) }
    work()
    for thread in others { thread.join() }
    return try progress.state.withLock { state in
      if let failure = state.failure { throw failure }
      return state.values.keys.sorted().flatMap { state.values[$0] ?? [] }
    }
  }

  /// Calls the body with every item.
  static func forEach<Item: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) throws -> Void
  ) throws {
    _ = try compactMap(items) { item -> Never? in
      try body(item)
      return nil
    }
  }
}
