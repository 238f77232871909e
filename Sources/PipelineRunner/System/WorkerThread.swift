import Dispatch
import Glibc

/// A thread of its own, for work that waits for other threads: a queue shared with other work could
/// be full of waiters.
final class WorkerThread: Sendable {
  private let finished = DispatchSemaphore(value: 0)

  private init() {}

  /// Starts a thread.
  @discardableResult
  static func start(
    _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) -> WorkerThread {
    let thread = WorkerThread()
    // Who waits for the starting thread waits for this one too.
    let cancellation = Cancellation.current
    let box = Box {
      Cancellation.$current.withValue(cancellation) { body() }
      thread.finished.signal()
    }
    // Not by its initializer, of which the compiler cannot tell whose module it is.
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { attributes.deallocate() }
    pthread_attr_init(attributes)
    defer { pthread_attr_destroy(attributes) }
    pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
    var identifier = pthread_t()
    let argument = Unmanaged.passRetained(box).toOpaque()
    let status = pthread_create(
      &identifier, attributes,
      { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, argument)
    if status != 0 {
      Unmanaged<Box>.fromOpaque(argument).release()
      throw SystemError("pthread_create", code: status)
    }
    return thread
  }

  /// Waits until the body has returned; once.
  func join() {
    finished.wait()
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
