import PipelineDSL
import SystemPackage

/// A directory of the machine that a build may read, less what its ignore file excludes.
struct ContextTree: Sendable {
  var directory: FilePath
  var ignore: IgnorePatterns?

  init(_ directory: FilePath, ignore: IgnorePatterns? = nil) {
    self.directory = directory
    self.ignore = ignore
  }
}
