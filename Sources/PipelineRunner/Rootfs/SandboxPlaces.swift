import Glibc
import SystemPackage

/// Directories that the sandboxes of all commands share; none of them is changed.
///
/// Mounts are private to a command, so one directory serves all of them as the place to mount at.
struct SandboxPlaces: Sendable {
  let path: FilePath

  /// Where a command's root is attached on its way to becoming `/`.
  var root: FilePath { path.appending("root") }
  /// Where mounts are attached of which only a part is wanted.
  var aside: FilePath { path.appending("aside") }
  /// A layer with the mount points that every command has.
  ///
  /// It lies below all others, so an image that has them hides it, and one that lacks them gets
  /// none into its layers. Most commands then need no ``StubLayer`` of their own.
  var points: FilePath { path.appending("points") }

  private static let directories = ["proc", "dev", "sys", "etc"]
  private static let files = ["etc/hosts", "etc/resolv.conf"]

  /// Makes those that are missing.
  ///
  /// Several processes may do so at once: whoever comes later makes what is still missing.
  func make() throws(SystemError) {
    let folders = [path, root, aside, points] + Self.directories.map { points.appending($0) }
    for folder in folders {
      if folder.withPlatformString({ mkdir($0, 0o755) }) == 0 {
        // The user's mask is not to be seen in a command's root.
        try Call.check("chmod", folder) { chmod($0, 0o755) }
      } else if errno != EEXIST {
        throw SystemError("mkdir", path: folder.bytes)
      }
    }
    for file in Self.files.map({ points.pushing(FilePath($0)) }) {
      let raw = file.withPlatformString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
      if raw >= 0 {
        let made = OwnedDescriptor(owning: raw)
        guard fchmod(made.raw, 0o644) == 0 else { throw SystemError("chmod", path: file.bytes) }
      } else if errno != EEXIST {
        throw SystemError("open", path: file.bytes)
      }
    }
  }
}
