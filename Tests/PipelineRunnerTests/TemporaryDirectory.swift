import Glibc
import SystemPackage

@testable import PipelineRunner

/// A directory for one test, removed with the object.
final class TemporaryDirectory: Sendable {
  let path: FilePath

  init() throws {
    let base = ProcessVariables.nonEmpty("TMPDIR") ?? "/tmp"
    path = FilePath(base).appending("pipeline-test-\(Store.uniqueName())")
    try DirectoryTree.make(path, mode: 0o755)
  }

  deinit {
    try? DirectoryTree.remove(path)
  }

  /// Writes a file below the directory, with missing parents.
  @discardableResult
  func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> FilePath {
    let file = path.appending(name)
    try DirectoryTree.make(file.removingLastComponent(), mode: 0o755)
    try FileContent.write(file, Array(text.utf8))
    _ = file.withPlatformString { chmod($0, mode) }
    return file
  }
}
