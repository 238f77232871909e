import PipelineDSL
import SystemPackage

/// Where an image on this machine is read from.
enum ImageSource: Sendable {
  /// A directory with `oci-layout` in it, and the tag asked for.
  case ociLayout(FilePath, tag: String?)
  /// A tar file: an OCI layout, a docker archive or a root file system, told by its content.
  case archive(FilePath, tag: String?)
  /// A directory that is the root file system itself.
  case rootfsDirectory(FilePath)

  /// What the source of a `--build-context` is; nil where it is a plain directory to copy from.
  static func detect(
    _ text: String, relativeTo directory: FilePath
  ) throws(Diagnostic) -> ImageSource? {
    throw Diagnostic("reading images is being written")
  }

  /// Finds the image of a platform and reads its config; layers stay where they are.
  func resolve(platform: Platform) throws -> ResolvedImage {
    throw Diagnostic("reading images is being written")
  }
}
