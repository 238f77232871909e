/// One instruction of a stage and the line that wrote it.
///
/// The steps that have a name of their own, such as ``Run`` and ``Copy``, all become this type. It
/// can also be made of an ``Instruction`` directly, for a spelling that none of them offers.
///
/// ```swift
/// Step(.label(Assignments([Assignment("team", "build tools")], isLegacyForm: true)))
/// ```
public struct Step: SingleStep {
  indirect enum Action: Sendable {
    case instruction(Instruction)
    case copy(CopyInstruction, from: BaseImage, artifact: ArtifactDeclaration?)
    case run(RunInstruction, mounts: [RunMount])
    case start(StartInstruction, executable: ArtifactPlace, arguments: [String])
    case onBuild([Step])
  }

  enum StartInstruction: Sendable {
    case entrypoint
    case command
  }

  let action: Action
  /// The expression in a builder that made the step.
  var location: SourceLocation?
  /// What was wrong with the step's own parts; reported when the graph is made.
  let problem: Diagnostic?

  init(_ action: Action, problem: Diagnostic? = nil, at location: SourceLocation? = nil) {
    self.action = action
    self.problem = problem
    self.location = location
  }

  /// Makes a step of an instruction of the graph.
  public init(_ instruction: Instruction) {
    self.init(.instruction(instruction))
  }

  public var step: Step { self }
}
