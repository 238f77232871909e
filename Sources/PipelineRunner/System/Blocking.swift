/// Runs work that blocks in system calls on a thread of its own, away from Swift's executor.
///
/// The cooperative pool has as many threads as cores; a RUN that waits for its child there would
/// stop everything else.
func blocking<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  let cancellation = Cancellation()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      BlockingThreads.shared.run {
        continuation.resume(
          with: Result { try Cancellation.$current.withValue(cancellation) { try body() } })
      }
    }
  } onCancel: {
    cancellation.cancel()
  }
}
