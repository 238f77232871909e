import CLinux
import Glibc
import SystemPackage

/// Opening things inside a tree that may be hostile: every path resolves below a descriptor.
///
/// A link inside the tree is followed as if the tree were the root directory, and links that the
/// kernel makes (`/proc/self/fd/7`) are refused (executor.md, recommendation 3).
enum TreeAccess {
  /// RESOLVE_IN_ROOT, and no magic links.
  static let inRoot = CLINUX_RESOLVE_IN_ROOT | CLINUX_RESOLVE_NO_MAGICLINKS

  /// O_PATH of open(2), which the C library shows only to GNU programs.
  static let pathOnly: CInt = 0o10_000_000

  /// Opens a path below a directory, or returns nil where nothing is there.
  static func openIfPresent(
    _ path: [UInt8], in root: CInt, flags: CInt, resolve: UInt64 = inRoot
  ) throws(SystemError) -> OwnedDescriptor? {
    // A name cannot hold a NUL, so nothing can be there; the C string would name something else.
    if path.contains(0) { return nil }
    let code = withTerminated(path) { text -> CInt in
      while true {
        let descriptor = clinux_openat2(root, text, UInt64(UInt32(bitPattern: flags)), 0, resolve)
        if descriptor >= 0 { return descriptor }
        // EAGAIN: something was renamed while the kernel checked a `..`; it asks to be called again.
        if errno != EAGAIN && errno != EINTR { return -errno }
      }
    }
    if code >= 0 { return OwnedDescriptor(owning: code) }
    if code == -ENOENT || code == -ENOTDIR { return nil }
    throw SystemError("openat2", path: path, code: -code)
  }

  /// Opens a path below a directory.
  static func open(
    _ path: [UInt8], in root: CInt, flags: CInt, resolve: UInt64 = inRoot
  ) throws(SystemError) -> OwnedDescriptor {
    guard let found = try openIfPresent(path, in: root, flags: flags, resolve: resolve) else {
      throw SystemError("openat2", path: path, code: ENOENT)
    }
    return found
  }

  /// Opens for reading what an O_PATH descriptor already names, so that nothing can be swapped in.
  static func reopen(_ descriptor: CInt, flags: CInt) throws(SystemError) -> OwnedDescriptor {
    let path = Array("/proc/self/fd/\(descriptor)".utf8)
    let opened = withTerminated(path) { Glibc.open($0, flags | O_CLOEXEC) }
    guard opened >= 0 else { throw SystemError("open", path: path) }
    return OwnedDescriptor(owning: opened)
  }

  /// Opens a directory of the machine itself, by a path that the program chose.
  static func openDirectory(_ path: FilePath) throws(SystemError) -> OwnedDescriptor {
    let opened = path.withPlatformString {
      Glibc.open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard opened >= 0 else { throw SystemError("open", path: path.bytes) }
    return OwnedDescriptor(owning: opened)
  }

  /// What `fstat` says.
  static func status(of descriptor: CInt) throws(SystemError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat") }
    return status
  }

  /// Lends bytes as a C string.
  static func withTerminated<Result, Failure: Error>(
    _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    defer { text.deallocate() }
    memcpy(text, bytes, bytes.count)
    text[bytes.count] = 0
    return try body(text)
  }
}

extension FilePath {
  /// The path as bytes, without the NUL.
  var bytes: [UInt8] {
    withPlatformString { text in
      Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
  }
}
