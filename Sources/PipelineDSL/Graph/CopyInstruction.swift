/// One source operand of `COPY` or `ADD`.
public enum CopySource: Hashable, Sendable {
  /// A path, wildcard, URL or git reference, as spelled.
  case path(Word)
  /// A file whose content stands in the instruction itself.
  case heredoc(Heredoc)
}

/// `COPY`: files from the context, a stage, a named context or an image.
public struct CopyInstruction: Hashable, Sendable {
  public var sources: [CopySource]
  public var destination: Word
  /// `--from` as written: a stage's name or index, a named context, an image; nil is the context.
  public var from: String?
  /// `--chown`.
  public var owner: Word?
  /// `--chmod`.
  public var mode: Word?
  /// `--link`.
  public var isLinked: Bool
  /// `--parents`.
  public var keepsParents: Bool
  /// `--exclude`, in order; never expanded (V7).
  public var excludes: [String]

  /// Creates a plain copy; flags have the meaning they have when absent.
  public init(
    _ sources: [CopySource], to destination: Word, from: String? = nil, owner: Word? = nil,
    mode: Word? = nil, isLinked: Bool = false, keepsParents: Bool = false, excludes: [String] = []
  ) {
    self.sources = sources
    self.destination = destination
    self.from = from
    self.owner = owner
    self.mode = mode
    self.isLinked = isLinked
    self.keepsParents = keepsParents
    self.excludes = excludes
  }
}

/// `ADD`: as `COPY` from the context, and archives, URLs and git repositories.
public struct AddInstruction: Hashable, Sendable {
  public var sources: [CopySource]
  public var destination: Word
  /// `--chown`.
  public var owner: Word?
  /// `--chmod`.
  public var mode: Word?
  /// `--checksum`.
  public var checksum: Word?
  /// `--link`.
  public var isLinked: Bool
  /// `--keep-git-dir`.
  public var keepsGitDirectory: Bool
  /// `--unpack`; nil leaves the choice to the kind of source.
  public var unpacks: Bool?
  /// `--exclude`, in order; never expanded (V7).
  public var excludes: [String]

  /// Creates a plain addition; flags have the meaning they have when absent.
  public init(
    _ sources: [CopySource], to destination: Word, owner: Word? = nil, mode: Word? = nil,
    checksum: Word? = nil, isLinked: Bool = false, keepsGitDirectory: Bool = false,
    unpacks: Bool? = nil, excludes: [String] = []
  ) {
    self.sources = sources
    self.destination = destination
    self.owner = owner
    self.mode = mode
    self.checksum = checksum
    self.isLinked = isLinked
    self.keepsGitDirectory = keepsGitDirectory
    self.unpacks = unpacks
    self.excludes = excludes
  }
}
