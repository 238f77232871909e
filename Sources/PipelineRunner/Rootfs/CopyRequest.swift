import PipelineDSL

/// One `COPY`, or `ADD` of local files, with everything expanded (section 4 of the reference).
struct CopyRequest: Sendable {
  /// What the destination's layers already hold; empty for `--link`.
  var root: RootTree
  var sources: [Source]
  /// As expanded, before it is made absolute: a trailing slash has a meaning.
  var destination: [UInt8]
  /// Absolute.
  var workingDirectory: [UInt8]
  /// The text of `--chown`; names are looked up in `root` (C8).
  var owner: String?
  /// The text of `--chmod`, octal or symbolic (C9).
  var mode: String?
  var keepsParents = false
  var excludes: IgnorePatterns?
  /// `--link`: no symbolic link of the destination is followed, and named owners are an error (X7).
  var isLinked = false
  /// Whether a local file that is an archive is unpacked, as ADD does (C12).
  var unpacks: Unpacking = .never
  /// Where the step stands, for its errors.
  var location: SourceLocation?

  enum Unpacking: Hashable, Sendable {
    case never
    /// Archives that lie in the build context.
    case archives
    /// Downloaded archives as well: `--unpack` was written (C13).
    case archivesAndDownloads
  }

  enum Source: Sendable {
    /// A path or wildcard in the build context. Owners become 0:0 (C5).
    case context(ContextTree, path: [UInt8])
    /// A path or wildcard in a stage or image. Owners are kept (C5).
    case tree(RootTree, path: [UInt8])
    /// A file whose content the instruction holds (C15).
    case inline(name: [UInt8], content: [UInt8])
    /// A file that was downloaded: its name and Last-Modified time (C13).
    case download(file: [UInt8], name: [UInt8], modified: Int?)
  }
}
