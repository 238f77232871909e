import PipelineDSL
import SystemPackage

/// A build's lock file, and what it means to the build.
struct SourceLock: Sendable {
  /// Where it is, or would be.
  var path: FilePath
  /// Nil where there is no file: then nothing is pinned.
  var content: LockFile?
  /// `--locked`: what is not pinned is an error.
  var isStrict = false

  /// The file's name beside a Dockerfile or a program.
  static let fileName = "Image.lock"

  /// What to say of a source that the file does not name; nil where that is as it should be.
  ///
  /// - Throws: the diagnostic as an error where everything has to be pinned.
  func unpinned(
    _ name: String, at location: SourceLocation?
  ) throws(Diagnostic) -> Diagnostic? {
    var diagnostic = Diagnostic(
      "'\(name)' is not pinned in '\(path)'", severity: .warning, at: location,
      help: "pin it with 'update'")
    if isStrict {
      diagnostic.severity = .error
      throw diagnostic
    }
    return content == nil ? nil : diagnostic
  }
}
