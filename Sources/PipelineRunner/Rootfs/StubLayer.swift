import CLinux
import Glibc
import SystemPackage

/// A layer that holds the mount points which a root lacks.
///
/// It lies under the upper directory while the command runs, so a mount point never gets into the
/// layer that the command makes, and nothing has to be found again and removed afterwards: that
/// search is what deleted files of the machine in CVE-2024-23652 (threat 19). Its directories look
/// as they do in the root, for they are what the merged tree shows.
enum StubLayer {
  /// Writes the layer into a directory that is not there yet.
  ///
  /// `root` is the merged tree without it.
  static func make(_ stubs: [RootView.Stub], at path: FilePath, over root: CInt) throws {
    try DirectoryTree.make(path, mode: 0o755)
    let top = try TreeAccess.openDirectory(path)
    var seen: [[UInt8]: Bool] = [:]
    var existing: [[UInt8]] = []
    for stub in stubs {
      for count in 1...stub.path.count {
        let place = PathBytes.join(stub.path[..<count])
        guard seen.updateValue(true, forKey: place) == nil else { continue }
        if count == stub.path.count, !stub.isDirectory {
          let file = TreeAccess.withTerminated(place) {
            openat(top.raw, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
          }
          guard file >= 0 else { throw SystemError("open", path: place) }
          close(file)
          continue
        }
        let status = TreeAccess.withTerminated(place) { mkdirat(top.raw, $0, 0o755) }
        guard status == 0 else { throw SystemError("mkdir", path: place) }
        if count <= stub.existing {
          existing.append(place)
        } else {
          _ = TreeAccess.withTerminated(place) { fchmodat(top.raw, $0, 0o755, 0) }
        }
      }
    }
    // Children first, as making them changes their parents' times.
    for place in existing.sorted(by: { $0.count > $1.count }) {
      try copyMetadata(of: place, from: root, to: top.raw)
    }
  }

  private static func copyMetadata(of place: [UInt8], from root: CInt, to top: CInt) throws {
    let resolve = CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    let source = try TreeAccess.open(place, in: root, flags: flags, resolve: resolve)
    let target = try TreeAccess.open(place, in: top, flags: flags, resolve: resolve)
    let status = try FileRecord.status(of: source.raw)
    guard FileRecord.setOwner(of: target.raw, status.st_uid, status.st_gid) == 0 else {
      throw SystemError("fchown", path: place)
    }
    if ExtendedAttributes.hasAny(source.raw) {
      try ExtendedAttributes.copy(from: source.raw, to: target.raw, keeping: .all)
    }
    guard fchmod(target.raw, status.st_mode & 0o7777) == 0,
      futimens(target.raw, [status.st_atim, status.st_mtim]) == 0
    else { throw SystemError("fchmod", path: place) }
  }
}
