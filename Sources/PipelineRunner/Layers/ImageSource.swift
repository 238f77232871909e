import Glibc
import PipelineDSL
import SystemPackage

/// Where an image on this machine is read from.
enum ImageSource: Sendable {
  /// A directory with `oci-layout` in it.
  case ociLayout(FilePath, ImageSelection)
  /// A file: an OCI layout in a tar, a docker archive or the tar of a root file system, told by its
  /// content.
  case archive(FilePath, ImageSelection)
  /// A directory that is the root file system itself.
  case rootfsDirectory(FilePath)

  private static let scheme = "oci-layout://"

  /// What the source of a `--build-context` is; nil where it is a plain directory to copy from.
  ///
  /// `oci-layout://PATH[:TAG|@DIGEST]` names a layout outright. A bare path is one when it has
  /// `oci-layout` in it or is a file; a file's path too may end in a tag.
  static func detect(
    _ text: String, relativeTo directory: FilePath
  ) throws(Diagnostic) -> ImageSource? {
    let isNamed = text.hasPrefix(scheme)
    let spelled = isNamed ? String(text.dropFirst(scheme.count)) : text
    let plain = directory.pushing(FilePath(spelled))
    if let source = kind(of: plain, .whole), !isNamed || source.isImage { return source.asContext }
    for (path, selection) in try splits(spelled) {
      let source = kind(of: directory.pushing(FilePath(path)), selection)
      if let source, source.isImage { return source }
    }
    guard isNamed else { return nil }
    throw Diagnostic(
      "'\(text)' names no OCI layout: there is no file 'oci-layout' there",
      help: "give the directory or tar that holds the image: oci-layout://PATH:TAG")
  }

  /// Finds the image of a platform and reads its config; layers stay where they are.
  ///
  /// - Throws: a diagnostic that names the file, and the digest where one does not fit.
  func resolve(platform: Platform) throws -> ResolvedImage {
    switch self {
    case .ociLayout(let path, let selection):
      return try OCILayoutReader(files: .directory(path)).resolve(selection, platform: platform)
    case .archive(let path, let selection):
      return try ArchiveImage.resolve(path, selection, platform: platform)
    case .rootfsDirectory(let path):
      return try RootfsImage.resolve(directory: path, platform: platform)
    }
  }

  // MARK: - Telling what is there

  private var isImage: Bool {
    if case .rootfsDirectory = self { false } else { true }
  }

  /// A plain directory is copied from; only FROM makes it a root file system.
  private var asContext: ImageSource? { isImage ? self : nil }

  private static func kind(of path: FilePath, _ selection: ImageSelection) -> ImageSource? {
    var status = stat()
    guard path.withPlatformString({ stat($0, &status) }) == 0 else { return nil }
    guard status.st_mode & S_IFMT == S_IFDIR else { return .archive(path, selection) }
    let marker = path.appending("oci-layout")
    let isLayout = marker.withPlatformString { access($0, F_OK) } == 0
    return isLayout ? .ociLayout(path, selection) : .rootfsDirectory(path)
  }

  /// The ways to read `PATH:TAG` and `PATH@DIGEST`; both a path and a reference may hold a colon.
  private static func splits(
    _ text: String
  ) throws(Diagnostic) -> [(path: String, selection: ImageSelection)] {
    if let sign = text.lastIndex(of: "@"), text[sign...].contains(":") {
      let part = text[text.index(after: sign)...]
      guard let digest = Digest(part) else {
        throw Diagnostic(
          "'\(part)' is not a digest",
          help: "write 'sha256:' and 64 lower-case hexadecimal digits")
      }
      return [(String(text[..<sign]), .digest(digest))]
    }
    return text.indices.filter { text[$0] == ":" }.map { colon in
      (String(text[..<colon]), .tag(String(text[text.index(after: colon)...])))
    }
  }
}
