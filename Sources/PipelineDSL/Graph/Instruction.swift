/// A name with an optional value, as `ARG` declares it.
public struct ArgumentDeclaration: Hashable, Sendable {
  public var name: String
  public var defaultValue: Word?

  /// Declares an argument; without a default it takes a global or a given value.
  public init(_ name: String, _ defaultValue: Word? = nil) {
    self.name = name
    self.defaultValue = defaultValue
  }
}

/// A name and a value, as `ENV` and `LABEL` have them; both sides expand.
public struct Assignment: Hashable, Sendable {
  public var name: Word
  public var value: Word

  /// Creates an assignment.
  public init(_ name: Word, _ value: Word) {
    self.name = name
    self.value = value
  }
}

/// The assignments of one `ENV` or `LABEL` and the form they were written in.
public struct Assignments: Hashable, Sendable {
  public var all: [Assignment]
  /// True for `ENV name the whole rest` (L11), whose value is not one quoted word.
  public var isLegacyForm: Bool

  /// Creates assignments in the form with `=`.
  public init(_ all: [Assignment], isLegacyForm: Bool = false) {
    self.all = all
    self.isLegacyForm = isLegacyForm
  }
}

/// One Dockerfile instruction other than `FROM`, with every flag it can carry.
public enum Instruction: Hashable, Sendable {
  case add(AddInstruction)
  case argument([ArgumentDeclaration])
  case command(CommandLine)
  case copy(CopyInstruction)
  case entrypoint(CommandLine)
  case environment(Assignments)
  case expose([Word])
  case healthcheck(HealthcheckInstruction)
  case label(Assignments)
  case maintainer(String)
  /// The trigger as text: it is parsed where it runs, with the default escape character (S10).
  case onBuild(OnBuildInstruction)
  case run(RunInstruction)
  case shell([String])
  case stopSignal(Word)
  case user(Word)
  case volume([Word])
  case workingDirectory(Word)

  /// The keyword, in upper case.
  public var keyword: String {
    switch self {
    case .add: "ADD"
    case .argument: "ARG"
    case .command: "CMD"
    case .copy: "COPY"
    case .entrypoint: "ENTRYPOINT"
    case .environment: "ENV"
    case .expose: "EXPOSE"
    case .healthcheck: "HEALTHCHECK"
    case .label: "LABEL"
    case .maintainer: "MAINTAINER"
    case .onBuild: "ONBUILD"
    case .run: "RUN"
    case .shell: "SHELL"
    case .stopSignal: "STOPSIGNAL"
    case .user: "USER"
    case .volume: "VOLUME"
    case .workingDirectory: "WORKDIR"
    }
  }
}

/// `ONBUILD`: an instruction for stages built from this one.
public struct OnBuildInstruction: Hashable, Sendable {
  /// The trigger's text after `ONBUILD`, with here-document bodies appended line by line.
  public var text: String

  /// Creates a trigger from an instruction's text.
  public init(_ text: String) {
    self.text = text
  }
}
