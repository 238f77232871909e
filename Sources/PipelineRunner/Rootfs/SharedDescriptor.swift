import Glibc

/// A file descriptor that several owners share, closed with the last of them.
final class SharedDescriptor: Sendable {
  let raw: CInt

  /// Takes over a descriptor that nobody else closes.
  ///
  /// It gets a number above those of the standard streams: a command's are put there.
  init(_ descriptor: consuming OwnedDescriptor) {
    raw = descriptor.raw > 2 ? descriptor.release() : fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 3)
  }

  deinit {
    close(raw)
  }
}
