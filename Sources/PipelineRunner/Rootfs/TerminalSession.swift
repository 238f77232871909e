import CLinux
import Dispatch
import Glibc
import SystemPackage

/// The user's terminal, lent to a command: what is typed goes to a terminal of the command's own,
/// and what that one shows is shown.
///
/// The command never gets the user's terminal itself: it could type there for whoever built
/// (TIOCSTI).
final class TerminalSession {
  private let master: SharedDescriptor
  /// The command's end.
  let peer: SharedDescriptor
  private var settings = termios()
  private var resizing: (any DispatchSourceSignal)?

  /// Whether a person sits at standard input and output.
  static var isPossible: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  /// Makes a terminal in the command's own `/dev/pts`, for its user.
  init(in terminals: SharedDescriptor, uid: UInt32) throws(SystemError) {
    let raw = openat(terminals.raw, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", path: Array("/dev/pts/ptmx".utf8)) }
    master = SharedDescriptor(OwnedDescriptor(owning: raw))
    guard clinux_unlock_terminal(master.raw) == 0 else { throw SystemError("unlockpt") }
    let other = clinux_terminal_peer(master.raw)
    guard other >= 0 else { throw SystemError("TIOCGPTPEER") }
    peer = SharedDescriptor(OwnedDescriptor(owning: other))
    guard FileRecord.keepsOwners || fchown(peer.raw, uid, gid_t.max) == 0 else {
      throw SystemError("fchown")
    }
    _ = clinux_copy_window_size(STDIN_FILENO, master.raw)
  }

  /// Hands the user's terminal over; ``end()`` gives it back.
  func begin() {
    tcgetattr(STDIN_FILENO, &settings)
    var raw = settings
    cfmakeraw(&raw)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    let source = DispatchSource.makeSignalSource(signal: SIGWINCH, queue: .global())
    source.setEventHandler { [master] in _ = clinux_copy_window_size(STDIN_FILENO, master.raw) }
    source.activate()
    resizing = source
  }

  func end() {
    resizing?.cancel()
    resizing = nil
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
  }

  /// Carries bytes both ways until the process ends.
  func carry(until process: CInt) {
    let events = Int16(POLLIN)
    var waiting = [
      pollfd(fd: STDIN_FILENO, events: events, revents: 0),
      pollfd(fd: master.raw, events: events, revents: 0),
      pollfd(fd: process, events: events, revents: 0),
    ]
    _ = fcntl(master.raw, F_SETFL, O_NONBLOCK)
    while waiting[2].revents == 0 {
      guard poll(&waiting, 3, -1) >= 0 || errno == EINTR else { break }
      if waiting[0].revents != 0, !Self.move(from: STDIN_FILENO, to: master.raw) {
        waiting[0].fd = -1
      }
      if waiting[1].revents != 0, !Self.move(from: master.raw, to: STDOUT_FILENO) {
        // Nobody has the other end open at the moment, or for good; the process tells.
        waiting[1].fd = -1
      }
    }
    while Self.move(from: master.raw, to: STDOUT_FILENO) {}
  }

  /// Carries one piece; false where there was none.
  private static func move(from source: CInt, to target: CInt) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let length = read(source, &buffer, buffer.count)
    guard length > 0 else { return length < 0 && errno == EINTR }
    var written = 0
    while written < length {
      let count = buffer.withUnsafeBytes {
        write(target, $0.baseAddress?.advanced(by: written), length - written)
      }
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }
}
