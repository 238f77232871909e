import Glibc
import Synchronization

/// Whole texts on standard error, not interleaved by threads.
enum StandardError {
  private static let lock = Mutex(())

  @Sendable static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    lock.withLock { _ in
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        // Nobody listens any more; a build does not fail for that.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }

  /// Whether a person sees it on a terminal that can move its cursor.
  static var isTerminal: Bool {
    isatty(STDERR_FILENO) == 1 && ProcessVariables["TERM"] != "dumb"
      && ProcessVariables["TERM"] != nil
  }

  /// Columns of the terminal.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
    return Int(size.ws_col)
  }
}
