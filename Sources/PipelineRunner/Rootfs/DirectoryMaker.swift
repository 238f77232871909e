import PipelineDSL
import SystemPackage

/// Makes the directory of a `WORKDIR` where it is missing (M1).
struct DirectoryMaker {
  /// A directory with nothing in it.
  var empty: FilePath

  /// Makes a directory and its parents, 0755 and owned by `user`; false where it was there.
  func make(
    _ path: [UInt8], user: String, in root: RootTree, workspace: Workspace,
    location: SourceLocation?
  ) throws -> Bool {
    throw Diagnostic("directories are being written", at: location)
  }
}
