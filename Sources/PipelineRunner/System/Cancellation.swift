import Synchronization

/// Tells work on a blocking thread that the task which waits for it was cancelled.
///
/// System calls that wait long, such as those of a download, look at it between waits.
final class Cancellation: Sendable {
  /// The one of the work that runs on this thread.
  @TaskLocal static var current: Cancellation?

  private let isSet = Atomic(false)

  func cancel() {
    isSet.store(true, ordering: .relaxed)
  }

  /// Whether nobody waits for the work on this thread any more.
  static var isCancelled: Bool { current?.isSet.load(ordering: .relaxed) ?? false }

  /// - Throws: a `CancellationError` when nobody waits for this work any more.
  static func check() throws {
    if isCancelled { throw CancellationError() }
  }
}
