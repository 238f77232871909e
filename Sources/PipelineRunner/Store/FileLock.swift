import Glibc
import Synchronization
import SystemPackage

/// A lock on a file that the kernel drops when the descriptor closes or the process dies.
///
/// Open-file-description locks are used, since classic record locks belong to the whole process:
/// two tasks of one build would both get them. The lock is held as long as the object lives; keep it
/// with `withExtendedLifetime`.
final class FileLock: Sendable {
  private let descriptor: OwnedDescriptor

  private init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  /// Creates a file and locks it.
  ///
  /// Between the two a sweep may take the file for one left behind and remove it; then it is made
  /// again, so that the name on disk is always the one that is locked.
  static func hold(_ path: FilePath) throws(SystemError) -> FileLock {
    for _ in 0..<1000 {
      let descriptor = try open(path)
      var status = stat()
      if set(descriptor, offset: 0), fstat(descriptor.raw, &status) == 0, status.st_nlink > 0 {
        return FileLock(descriptor)
      }
      usleep(500)
    }
    throw SystemError("lock", path: path.bytes, code: EAGAIN)
  }

  /// Whether somebody holds a lock on the file; a file that is not there is held by nobody.
  static func isHeld(_ path: FilePath) -> Bool {
    let raw = path.withPlatformString { Glibc.open($0, O_RDWR | O_CLOEXEC) }
    guard raw >= 0 else { return false }
    return !set(OwnedDescriptor(owning: raw), offset: 0)
  }

  /// Locks one byte of a file, waiting while another holder has it.
  ///
  /// One file serves any number of names, each at the offset its digest gives, so that no lock
  /// files pile up.
  static func wait(
    _ path: FilePath, at offset: Int64, _ mode: Mode = .exclusive
  ) async throws -> FileLock {
    let descriptor = try open(path)
    var delay = 1
    while !set(descriptor, offset: offset, mode: mode) {
      guard errno == EAGAIN || errno == EACCES || errno == EINTR else {
        throw SystemError("lock", path: path.bytes)
      }
      try await Task.sleep(for: .milliseconds(delay))
      delay = min(delay * 2, 50)
    }
    return FileLock(descriptor)
  }

  /// Locks one byte without waiting; nil where another holder has it.
  static func attempt(_ path: FilePath, at offset: Int64) throws(SystemError) -> FileLock? {
    let descriptor = try open(path)
    return set(descriptor, offset: offset) ? FileLock(descriptor) : nil
  }

  enum Mode: Sendable {
    case shared
    case exclusive
  }

  /// Locks a whole file, waiting for the moments that others have it.
  static func acquire(_ path: FilePath, _ mode: Mode) throws(SystemError) -> FileLock {
    let descriptor = try open(path)
    while !set(descriptor, offset: 0, mode: mode, waits: true) {
      guard errno == EINTR else { throw SystemError("lock", path: path.bytes) }
    }
    return FileLock(descriptor)
  }

  private static func open(_ path: FilePath) throws(SystemError) -> OwnedDescriptor {
    let raw = path.withPlatformString { Glibc.open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    return OwnedDescriptor(owning: raw)
  }

  private static func set(
    _ descriptor: borrowing OwnedDescriptor, offset: Int64, mode: Mode = .exclusive,
    waits: Bool = false
  ) -> Bool {
    var range = flock()
    range.l_type = Int16(mode == .exclusive ? F_WRLCK : F_RDLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = off_t(offset)
    range.l_len = 1
    let command = waits ? waitForOpenFileDescriptionLock : setOpenFileDescriptionLock
    return fcntl(descriptor.raw, command, &range) == 0
  }

  /// `F_OFD_SETLK` and `F_OFD_SETLKW` of fcntl(2), which the C library hides behind a feature macro.
  private static let setOpenFileDescriptionLock: CInt = 37
  private static let waitForOpenFileDescriptionLock: CInt = 38
}

/// The locks of the workspaces that this process has open.
final class WorkspaceLocks: Sendable {
  static let shared = WorkspaceLocks()

  private let held = Mutex<[String: FileLock]>([:])

  func keep(_ lock: FileLock, for name: String) {
    held.withLock { $0[name] = lock }
  }

  func release(_ name: String) {
    held.withLock { _ = $0.removeValue(forKey: name) }
  }
}
