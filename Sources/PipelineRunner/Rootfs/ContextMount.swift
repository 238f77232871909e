import Glibc
import PipelineDSL
import SystemPackage

/// A part of the build context as a command may see it.
///
/// Ignore rules apply, and everything belongs to root as it does after `COPY` (C5, R6). Where the
/// directory on the machine already looks like that it is mounted as it is; otherwise what the
/// rules leave is copied first.
struct ContextMount {
  /// The file or directory to mount.
  let source: SharedDescriptor
  let isDirectory: Bool
  /// Whether it was made for this command alone, so that it may write there.
  let isCopy: Bool

  init(
    _ context: ContextTree, source path: [UInt8], isReadOnly: Bool, in workspace: Workspace,
    empty: FilePath
  ) throws {
    let root = SourceRoot(
      try TreeAccess.openDirectory(context.directory), origin: .context(context.directory),
      ignore: context.ignore.flatMap { $0.isEmpty ? nil : $0 })
    let relative = PathBytes.join(PathBytes.components(path)[...])
    guard let found = try root.find(relative) else { throw root.missing(relative) }
    let status = try TreeAccess.status(of: found.raw)
    isDirectory = status.isDirectory
    // Writes to a file can be thrown away only if it is a copy.
    if root.ignore == nil, isReadOnly || isDirectory, try Self.belongsToRoot(found, status) {
      source = SharedDescriptor(found)
      isCopy = false
      return
    }
    for directory in [workspace.path, workspace.upper, workspace.work] {
      try DirectoryTree.make(directory, mode: 0o755)
    }
    // A name of the context is no wildcard here.
    var pattern: [UInt8] = []
    for byte in relative {
      if "*?[\\".utf8.contains(byte) { pattern.append(UInt8(ascii: "\\")) }
      pattern.append(byte)
    }
    let request = CopyRequest(
      root: .empty, sources: [.context(context, path: pattern)],
      destination: Array((isDirectory ? "/content/" : "/content").utf8),
      workingDirectory: Array("/".utf8))
    try Copier(empty: empty).copy(request, into: workspace)
    let upper = try TreeAccess.openDirectory(workspace.upper)
    let content = try TreeAccess.open(
      Array("content".utf8), in: upper.raw, flags: TreeAccess.pathOnly)
    if isDirectory {
      let path = workspace.upper.appending("content")
      try Call.check("chmod", path) { chmod($0, status.st_mode & 0o7777) }
    }
    source = SharedDescriptor(content)
    isCopy = true
  }

  private static func belongsToRoot(
    _ found: borrowing OwnedDescriptor, _ status: stat
  ) throws -> Bool {
    guard status.st_uid == 0, status.st_gid == 0 else { return false }
    guard status.isDirectory else { return true }
    return try belongsToRoot(SourceWalk.list(found.raw), depth: 0)
  }

  private static func belongsToRoot(_ listing: DirectoryListing, depth: Int) throws -> Bool {
    guard depth < SourceWalk.deepest else { return false }
    var status = stat()
    for index in 0..<listing.count {
      let name = listing.name(index)
      // What vanished or cannot be entered is left to the copy, which has words for it.
      guard fstatat(listing.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_uid == 0,
        status.st_gid == 0
      else { return false }
      guard status.isDirectory else { continue }
      let child = openat(listing.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard child >= 0, try belongsToRoot(DirectoryListing(owning: child), depth: depth + 1)
      else { return false }
    }
    return true
  }
}
