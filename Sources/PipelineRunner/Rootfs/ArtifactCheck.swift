import Glibc
import PipelineDSL
import SystemPackage

/// Looks for an artifact in a finished root.
struct ArtifactCheck {
  /// A directory with nothing in it.
  var empty: FilePath

  /// What is wrong with an artifact, in words; nil where it is there and of its kind.
  ///
  /// Links are followed, as a copy of the artifact follows them (C1).
  func problem(path: [UInt8], kind: ArtifactDeclaration.Kind, in root: RootTree) throws -> String? {
    let tree = try DetachedOverlay.readOnly(root, empty: empty)
    let place = PathBytes.join(PathBytes.components(path)[...])
    let name = place.isEmpty ? [UInt8(ascii: ".")] : place
    let found: OwnedDescriptor?
    do {
      found = try TreeAccess.openIfPresent(name, in: tree.raw, flags: TreeAccess.pathOnly)
    } catch {
      guard error.code == ELOOP else { throw error }
      return "it is a symbolic link that leads nowhere"
    }
    guard let found else {
      return try isLink(name, in: tree.raw)
        ? "it is a symbolic link that leads nowhere" : "nothing is there"
    }
    let status = try TreeAccess.status(of: found.raw)
    switch (kind, status.st_mode & S_IFMT) {
    case (.directory, S_IFDIR), (.file, S_IFREG): return nil
    case (.directory, S_IFREG): return "it is a file, not a directory"
    case (.file, S_IFDIR), (.executable, S_IFDIR): return "it is a directory, not a file"
    case (.executable, S_IFREG):
      return status.st_mode & 0o111 == 0 ? "it has no execute bit" : nil
    case (.directory, _): return "it is not a directory"
    case (.file, _), (.executable, _): return "it is not a regular file"
    }
  }

  private func isLink(_ name: [UInt8], in root: CInt) throws -> Bool {
    // A component on the way may be a link that leads nowhere, which comes to the same.
    let found = try? TreeAccess.openIfPresent(
      name, in: root, flags: TreeAccess.pathOnly | O_NOFOLLOW)
    guard let found else { return false }
    return try TreeAccess.status(of: found.raw).st_mode & S_IFMT == S_IFLNK
  }
}
