import Glibc
import SystemPackage

/// Whole directories of our own: made, listed, measured and removed.
enum DirectoryTree {
  /// Makes a directory and its missing parents.
  static func make(_ path: FilePath, mode: mode_t) throws(SystemError) {
    let status = path.withPlatformString { mkdir($0, mode) }
    if status == 0 || errno == EEXIST { return }
    guard errno == ENOENT, !path.removingLastComponent().isEmpty else {
      throw SystemError("mkdir", path: path.bytes)
    }
    try make(path.removingLastComponent(), mode: 0o755)
    let again = path.withPlatformString { mkdir($0, mode) }
    guard again == 0 || errno == EEXIST else { throw SystemError("mkdir", path: path.bytes) }
  }

  /// The names in a directory, less `.` and `..`; for directories whose names we chose.
  static func names(in path: FilePath) throws(SystemError) -> [String] {
    guard let stream = path.withPlatformString({ opendir($0) }) else {
      throw SystemError("opendir", path: path.bytes)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Whether a directory has no entries.
  static func isEmpty(_ path: FilePath) throws(SystemError) -> Bool {
    guard let stream = path.withPlatformString({ opendir($0) }) else {
      throw SystemError("opendir", path: path.bytes)
    }
    defer { closedir(stream) }
    for _ in 0..<3 where readdir(stream) == nil { return true }
    return false
  }

  struct Usage {
    /// Bytes of file content, hard links counted once.
    var bytes: Int64 = 0
    var entries = 0
    fileprivate var links = Set<UInt64>()
  }

  /// How much a tree holds.
  static func usage(of path: FilePath) throws(SystemError) -> Usage {
    var usage = Usage()
    try measure(AT_FDCWD, path.bytes.map { CChar(bitPattern: $0) } + [0], &usage)
    return usage
  }

  private static func measure(
    _ parent: CInt, _ name: [CChar], _ usage: inout Usage
  ) throws(SystemError) {
    try forEachEntry(parent, name) { (directory, child, status) throws(SystemError) in
      usage.entries += 1
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try measure(directory, child, &usage)
      case S_IFREG:
        if status.st_nlink > 1, !usage.links.insert(UInt64(status.st_ino)).inserted { return }
        usage.bytes += Int64(status.st_size)
      default: break
      }
    }
  }

  /// Removes a tree, links in it never followed.
  ///
  /// A step can leave directories nested deeper than a process may hold open; those are moved to
  /// the top and removed from there.
  static func remove(_ path: FilePath) throws(SystemError) {
    try remove(path.bytes, in: AT_FDCWD)
  }

  /// Removes the tree that a directory has under a name.
  static func remove(_ path: [UInt8], in parent: CInt) throws(SystemError) {
    let name = path.map { CChar(bitPattern: $0) } + [0]
    let raw = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else {
      if errno == ENOENT { return }
      throw SystemError("open", path: path)
    }
    let top = OwnedDescriptor(owning: raw)
    var moved = 0
    repeat {
      moved = 0
      try empty(top.raw, [CChar(bitPattern: UInt8(ascii: ".")), 0], top: top.raw, depth: 0, &moved)
    } while moved > 0
    // Another process may be removing the same.
    guard unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
      throw SystemError("rmdir", path: path)
    }
  }

  private static func empty(
    _ parent: CInt, _ name: [CChar], top: CInt, depth: Int, _ moved: inout Int
  ) throws(SystemError) {
    try forEachEntry(parent, name) { (directory, child, status) throws(SystemError) in
      guard status.st_mode & S_IFMT == S_IFDIR else {
        guard unlinkat(directory, child, 0) == 0 || errno == ENOENT else {
          throw SystemError("unlink", path: bytes(child))
        }
        return
      }
      guard depth < 100 else {
        let target = Array("deep-\(Store.uniqueName())".utf8CString)
        guard renameat(directory, child, top, target) == 0 else {
          throw SystemError("rename", path: bytes(child))
        }
        moved += 1
        return
      }
      do throws(SystemError) {
        try empty(directory, child, top: top, depth: depth + 1, &moved)
      } catch {
        guard error.code == ENOENT else { throw error }
      }
      guard unlinkat(directory, child, AT_REMOVEDIR) == 0 || errno == ENOENT else {
        throw SystemError("rmdir", path: bytes(child))
      }
    }
  }

  private static func bytes(_ name: [CChar]) -> [UInt8] {
    name.dropLast().map { UInt8(bitPattern: $0) }
  }

  /// Calls `visit` with each entry of a directory, `.` and `..` left out.
  private static func forEachEntry(
    _ parent: CInt, _ name: [CChar],
    _ visit: (CInt, [CChar], stat) throws(SystemError) -> Void
  ) throws(SystemError) {
    let raw = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0, let stream = fdopendir(raw) else {
      throw SystemError("open", path: bytes(name))
    }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let child = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) {
          Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
        }
      }
      if child.elementsEqual([46, 0]) || child.elementsEqual([46, 46, 0]) { continue }
      var status = stat()
      guard fstatat(raw, child, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        if errno == ENOENT { continue }
        throw SystemError("stat", path: bytes(child))
      }
      try visit(raw, child, status)
    }
  }
}
