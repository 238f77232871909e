import PipelineDSL
import SystemPackage

/// Looks for an artifact in a finished root.
struct ArtifactCheck {
  /// A directory with nothing in it.
  var empty: FilePath

  /// What is wrong with an artifact, in words; nil where it is there and of its kind.
  func problem(path: [UInt8], kind: ArtifactDeclaration.Kind, in root: RootTree) throws -> String? {
    throw Diagnostic("artifacts are being written")
  }
}
