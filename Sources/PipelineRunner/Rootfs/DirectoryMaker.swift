import Glibc
import PipelineDSL
import SystemPackage

/// Makes the directory of a `WORKDIR` where it is missing (M1).
struct DirectoryMaker {
  /// A directory with nothing in it.
  var empty: FilePath

  /// Makes a directory and its parents, 0755 and owned by `user`; false where it was there.
  ///
  /// The owner follows the rules of `--chown` (C8), not those of a process: a lone numeric user
  /// gives the group as well.
  func make(
    _ path: [UInt8], user: String, in root: RootTree, workspace: Workspace,
    location: SourceLocation?
  ) throws -> Bool {
    do {
      let writer = try UpperWriter(upper: workspace.upper, over: root, empty: empty)
      guard case .missing = try writer.resolve(path) else {
        // What is there is left as it is; that it is a directory shows here.
        _ = try writer.makeDirectories(path)
        return false
      }
      let owner = try user.isEmpty ? (0, 0) : owner(user, in: root)
      writer.defaults = UpperWriter.Defaults(mode: 0o755, uid: owner.0, gid: owner.1)
      _ = try writer.makeDirectories(path)
      return true
    } catch var error as Diagnostic {
      error.location = error.location ?? location
      throw error
    } catch let error as SystemError {
      throw error.diagnostic(
        "cannot make the directory '\(String(decoding: path, as: UTF8.self))'", at: location)
    }
  }

  private func owner(_ user: String, in root: RootTree) throws -> (UInt32, UInt32) {
    if let owner = try UserDatabase.numericOwner(user) { return owner }
    let tree = try DetachedOverlay.readOnly(root, empty: empty)
    return try UserDatabase(root: tree).owner(user)
  }
}
