import PipelineDSL
import SystemPackage

/// One `-o`: a kind of output and where it goes.
struct OutputSpecification: Hashable, Sendable {
  init(parsing text: String) throws(Diagnostic) {
    throw Diagnostic("outputs are being written")
  }

  /// Writes an image; the result says in a few words what was written where.
  func write(
    _ image: BuiltImage, tags: [String], blob: (Digest) -> FilePath,
    layer: (LayerID) -> FilePath, empty: FilePath
  ) throws -> String {
    throw Diagnostic("outputs are being written")
  }
}
