import PipelineDSL
import SystemPackage

/// Digests of files by device, inode, size and times, so that an unchanged context is not read
/// again (cache.md K8).
///
/// Deleting the file changes no result.
final class ContextMemo: Sendable {
  init(at file: FilePath) throws {}

  /// Writes what was learned.
  func save() throws {}
}
