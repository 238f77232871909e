/// A whole build as it was written: stages in order, each a base and its instructions.
///
/// The Swift builder and the Dockerfile parser both produce it; the checker, the printer and the
/// planner read it. Two graphs are equal when they mean the same build: positions and comments
/// take no part.
public struct StageGraph: Hashable, Sendable {
  public var directives: Directives
  /// `ARG` instructions before the first `FROM`.
  public var globals: [Step]
  public var stages: [Stage]
  /// Comment lines after the last instruction, each with its `#`.
  public var trailingComments: [String]
  /// The time, in seconds since 1970, that a program declares for a reproducible image.
  ///
  /// No Dockerfile can say it, so it takes no part in equality and is not printed.
  public var sourceDateEpoch: Int?

  /// Creates a graph from its parts.
  public init(
    directives: Directives = Directives(), globals: [Step] = [], stages: [Stage],
    trailingComments: [String] = [], sourceDateEpoch: Int? = nil
  ) {
    self.directives = directives
    self.globals = globals
    self.stages = stages
    self.trailingComments = trailingComments
    self.sourceDateEpoch = sourceDateEpoch
  }

  public static func == (left: StageGraph, right: StageGraph) -> Bool {
    left.directives.escape == right.directives.escape && left.globals == right.globals
      && left.stages == right.stages
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(directives.escape)
    hasher.combine(globals)
    hasher.combine(stages)
  }
}

extension StageGraph {
  /// The parser directives in the first lines of a file (L1).
  public struct Directives: Hashable, Sendable {
    /// The image named by `# syntax=`; kept for printing, never pulled.
    public var syntax: String?
    /// The escape character: a backslash or a backtick.
    public var escape: Unicode.Scalar
    /// The text of `# check=`.
    public var check: String?

    /// Creates directives; the escape character is a backslash unless said otherwise.
    public init(syntax: String? = nil, escape: Unicode.Scalar = "\\", check: String? = nil) {
      self.syntax = syntax
      self.escape = escape
      self.check = check
    }
  }

  /// One stage: what it starts from and what happens in it.
  public struct Stage: Hashable, Sendable {
    /// The name after `AS`, in lower case; nil where there is none.
    public var name: String?
    /// The operand of `FROM`: an earlier stage, a named context, an image or `scratch`.
    public var base: Word
    /// `--platform`.
    public var platform: Word?
    public var steps: [Step]
    /// What the stage promises to leave behind; checked when it ends, no part of equality.
    public var artifacts: [ArtifactDeclaration]
    public var location: SourceLocation?
    /// Comment lines right above `FROM`, each with its `#`.
    public var comments: [String]

    /// Creates a stage from its parts.
    public init(
      name: String? = nil, base: Word, platform: Word? = nil, steps: [Step] = [],
      artifacts: [ArtifactDeclaration] = [], location: SourceLocation? = nil,
      comments: [String] = []
    ) {
      self.name = name
      self.base = base
      self.platform = platform
      self.steps = steps
      self.artifacts = artifacts
      self.location = location
      self.comments = comments
    }

    public static func == (left: Stage, right: Stage) -> Bool {
      left.name == right.name && left.base == right.base && left.platform == right.platform
        && left.steps == right.steps
    }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(base)
      hasher.combine(platform)
      hasher.combine(steps)
    }
  }

  /// An instruction and where it stands.
  public struct Step: Hashable, Sendable {
    public var instruction: Instruction
    public var location: SourceLocation?
    /// Comment lines right above the instruction, each with its `#`; an empty string is a blank line.
    public var comments: [String]
    /// Comment lines between the instruction's continuation lines, in order.
    public var innerComments: [InnerComment]

    /// Creates a step.
    public init(
      _ instruction: Instruction, at location: SourceLocation? = nil, comments: [String] = [],
      innerComments: [InnerComment] = []
    ) {
      self.instruction = instruction
      self.location = location
      self.comments = comments
      self.innerComments = innerComments
    }

    public static func == (left: Step, right: Step) -> Bool {
      left.instruction == right.instruction
    }

    public func hash(into hasher: inout Hasher) {
      hasher.combine(instruction)
    }
  }
}

/// A comment line between the continuation lines of an instruction.
public struct InnerComment: Hashable, Sendable {
  /// The line with its `#`, without blanks at its ends.
  public var text: String
  /// How many bytes other than blanks follow it on the instruction's lines: what stays the same
  /// however the instruction is laid out.
  public var followingBytes: Int

  /// Creates a comment.
  public init(_ text: String, followingBytes: Int) {
    self.text = text
    self.followingBytes = followingBytes
  }
}

/// What a stage promises to have at a path when it ends.
public struct ArtifactDeclaration: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    case file
    case directory
    /// A regular file with an execute bit.
    case executable
  }

  public var kind: Kind
  /// An absolute path in the stage.
  public var path: String
  public var location: SourceLocation?

  /// Declares an artifact.
  public init(_ kind: Kind, at path: String, location: SourceLocation? = nil) {
    self.kind = kind
    self.path = path
    self.location = location
  }
}
