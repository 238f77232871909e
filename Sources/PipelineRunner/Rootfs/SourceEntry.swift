import CLinux
import Glibc

/// One file, directory or other thing that a copy selected, as it is found where it lies.
///
/// The name is borrowed from the walk and valid for the call that gets the entry.
struct SourceEntry {
  /// The directory that `name` is in; AT_FDCWD where `name` is a path under /proc that stands for a
  /// descriptor which is already the thing itself.
  var directory: CInt
  var name: UnsafePointer<CChar>
  var status: stat
  /// What keeps `directory` and `name` alive for longer than the call; nil under /proc.
  var listing: DirectoryListing?

  var type: mode_t { status.st_mode & S_IFMT }
  var isDirectory: Bool { type == S_IFDIR }

  /// The name as bytes, for messages.
  var nameBytes: [UInt8] { Array(UnsafeRawBufferPointer(start: name, count: strlen(name))) }

  /// Opens a regular file and makes sure that it still is the one that was seen.
  ///
  /// Between the walk and now a link or a fifo may have taken its place (threat 10).
  func openFile() throws -> OwnedDescriptor {
    // O_NONBLOCK: opening a fifo would wait for a writer.
    var flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    if directory != AT_FDCWD { flags |= O_NOFOLLOW }
    let descriptor = openat(directory, name, flags)
    guard descriptor >= 0 else { throw SystemError("open", path: nameBytes) }
    let file = OwnedDescriptor(owning: descriptor)
    guard status.isSameContent(as: try TreeAccess.status(of: file.raw)) else {
      throw SourceChanged(name: nameBytes)
    }
    return file
  }

  /// Opens a directory for its attributes.
  func openDirectory() throws(SystemError) -> OwnedDescriptor {
    var flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    if directory != AT_FDCWD { flags |= O_NOFOLLOW }
    let descriptor = openat(directory, name, flags)
    guard descriptor >= 0 else { throw SystemError("open", path: nameBytes) }
    return OwnedDescriptor(owning: descriptor)
  }

  /// Where a symbolic link points.
  func readLink(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    guard let start = buffer.baseAddress else { preconditionFailure("a buffer of no bytes") }
    let length = readlinkat(
      directory, name, start.assumingMemoryBound(to: CChar.self), buffer.count)
    guard length >= 0 else { throw SystemError("readlink", path: nameBytes) }
    guard length < buffer.count else {
      throw SystemError("readlink", path: nameBytes, code: ENAMETOOLONG)
    }
    return length
  }
}

/// A file that somebody writes to while it is being read: neither a key nor a copy of it is right
/// (cache.md K12).
struct SourceChanged: Error {
  var name: [UInt8]
}

extension stat {
  /// Whether two looks at a file saw the same inode in the same state.
  func isSameContent(as other: stat) -> Bool {
    st_ino == other.st_ino && st_dev == other.st_dev && st_mode == other.st_mode
      && st_size == other.st_size && st_mtim.tv_sec == other.st_mtim.tv_sec
      && st_mtim.tv_nsec == other.st_mtim.tv_nsec && st_ctim.tv_sec == other.st_ctim.tv_sec
      && st_ctim.tv_nsec == other.st_ctim.tv_nsec
  }
}
