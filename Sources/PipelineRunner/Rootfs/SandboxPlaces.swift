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

  /// Makes them where they are missing.
  ///
  /// `staging` is a path on the same file system that is not there yet: they appear at once.
  static func make(at path: FilePath, staging: FilePath) throws(SystemError) {
    var status = stat()
    if path.withPlatformString({ lstat($0, &status) }) == 0 { return }
    let made = SandboxPlaces(path: staging)
    for folder in [made.root, made.aside, made.points] {
      try DirectoryTree.make(folder, mode: 0o755)
    }
    for name in directories { try DirectoryTree.make(made.points.appending(name), mode: 0o755) }
    for name in files { try FileContent.replace(made.points.appending(name), with: []) }
    // The user's mask is not to be seen in a command's root.
    for name in directories + files {
      let mode: mode_t = files.contains(name) ? 0o644 : 0o755
      try Call.check("chmod", made.points.appending(name)) { chmod($0, mode) }
    }
    do {
      try Call.rename(staging, to: path)
    } catch {
      try DirectoryTree.remove(staging)
      // Another process made them meanwhile.
      guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
    }
  }
}
