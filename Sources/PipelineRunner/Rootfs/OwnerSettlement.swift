import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Gives what a command made the owners that the kernel would have given it, where there is one id.
///
/// A new file belongs to the user who made it, and in a directory with the setgid bit to the group
/// of that directory. What the command only changed keeps its owner: overlayfs marks what it copied
/// up.
struct OwnerSettlement {
  let uid: UInt32
  let gid: UInt32

  private static let copied = "user.overlay.origin"

  /// Goes through an upper directory whose command has ended.
  func settle(_ upper: FilePath) throws {
    let top = try TreeAccess.openDirectory(upper)
    let status = try FileRecord.status(of: top.raw)
    do {
      try settle(DirectoryListing(owning: top.take()), status, depth: 0)
    } catch let error as SystemError {
      throw error.diagnostic("the owners of what the command made cannot be recorded")
    }
  }

  private func settle(_ listing: DirectoryListing, _ parent: stat, depth: Int) throws {
    guard depth < SourceWalk.deepest else {
      throw Diagnostic("directories are nested more than \(SourceWalk.deepest) deep")
    }
    let group = parent.st_mode & S_ISGID != 0 ? parent.st_gid : gid
    for index in 0..<listing.count {
      let name = listing.name(index)
      var status = stat()
      guard fstatat(listing.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw SystemError("fstatat", path: UpperWriter.bytes(name))
      }
      if status.isWhiteout { continue }
      if uid != 0 || group != 0, isNew(status, name, listing) {
        guard FileRecord.setOwner(of: name, in: listing.raw, uid, group) == 0 else {
          throw SystemError("setxattr", path: UpperWriter.bytes(name))
        }
      }
      guard status.isDirectory else { continue }
      let raw = openat(listing.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard raw >= 0 else { throw SystemError("open", path: UpperWriter.bytes(name)) }
      let child = try DirectoryListing(owning: raw)
      try settle(child, FileRecord.status(of: child.raw), depth: depth + 1)
    }
  }

  private func isNew(
    _ status: stat, _ name: UnsafePointer<CChar>, _ listing: DirectoryListing
  ) -> Bool {
    if FileRecord.hasOwner(status, name, in: listing.raw) { return false }
    return clinux_get_attribute_in(listing.raw, name, Self.copied, nil, 0) < 0
  }
}
