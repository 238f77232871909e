import Glibc
import SystemPackage

/// The room that a file system has.
struct FileSystemSpace: Hashable, Sendable {
  var freeBytes: Int64
  /// How many more files it can take.
  var freeFiles: Int64

  init(freeBytes: Int64, freeFiles: Int64) {
    self.freeBytes = freeBytes
    self.freeFiles = freeFiles
  }

  /// Nil where the file system does not tell.
  init?(at path: FilePath) {
    var status = statvfs()
    guard path.withPlatformString({ statvfs($0, &status) }) == 0 else { return nil }
    freeBytes = Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    // btrfs makes inodes as they are needed and counts none.
    freeFiles = status.f_files == 0 ? .max / 2 : Int64(clamping: UInt64(status.f_favail))
  }
}
