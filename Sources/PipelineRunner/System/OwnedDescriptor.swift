import Glibc

/// A file descriptor with one owner, closed when the owner goes away.
///
/// Bind it with `let` before its number is used: that keeps it open to the end of the scope, while a
/// temporary value may be closed as soon as ``raw`` was read.
///
/// Every descriptor in the runner is opened with CLOEXEC: a step must inherit none (threat 16).
struct OwnedDescriptor: ~Copyable, Sendable {
  let raw: CInt

  /// Takes over a descriptor that nobody else closes.
  init(owning raw: CInt) {
    self.raw = raw
  }

  deinit {
    _ = Glibc.close(raw)
  }

  /// Closes now and reports what `close` reports, as a writer must.
  consuming func close() throws(SystemError) {
    let status = Glibc.close(raw)
    let code = errno
    discard self
    if status != 0 && code != EINTR { throw SystemError("close", code: code) }
  }

  /// Gives the descriptor to an owner that closes it itself.
  consuming func release() -> CInt {
    let released = raw
    discard self
    return released
  }
}
