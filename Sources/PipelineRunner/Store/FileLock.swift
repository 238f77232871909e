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

  /// Creates a file and locks it; nobody else knows the name yet, so it cannot wait.
  static func hold(_ path: FilePath) throws(SystemError) -> FileLock {
    let descriptor = try open(path)
    guard set(descriptor, offset: 0) else { throw SystemError("lock", path: path.bytes) }
    return FileLock(descriptor)
  }

  /// Whether nobody holds a lock on the file.
  static func isFree(_ path: FilePath) -> Bool {
    guard let descriptor = try? open(path) else { return false }
    return set(descriptor, offset: 0)
  }

  /// Locks one byte of a file, waiting while another holder has it.
  ///
  /// One file serves any number of names, each at the offset its digest gives, so that no lock
  /// files pile up.
  static func wait(_ path: FilePath, at offset: Int64) async throws -> FileLock {
    let descriptor = try open(path)
    var delay = 1
    while !set(descriptor, offset: offset) {
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

  private static func open(_ path: FilePath) throws(SystemError) -> OwnedDescriptor {
    let raw = path.withPlatformString { Glibc.open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    return OwnedDescriptor(owning: raw)
  }

  private static func set(_ descriptor: borrowing OwnedDescriptor, offset: Int64) -> Bool {
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = off_t(offset)
    range.l_len = 1
    return fcntl(descriptor.raw, setOpenFileDescriptionLock, &range) == 0
  }

  /// `F_OFD_SETLK` of fcntl(2), which the C library hides behind a feature macro.
  private static let setOpenFileDescriptionLock: CInt = 37
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
