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
    case run(RunInstruction, script: ShellCommandText?, mounts: [RunMount])
    case start(StartInstruction, executable: ArtifactPlace, arguments: [String])
    case onBuild([Step])
  }

  enum StartInstruction: Sendable {
    case entrypoint
    case command
  }

  let action: Action
  /// What shell text refers to; words know by themselves.
  private let textReferences: [Reference]
  /// The expression in a builder that made the step.
  var location: SourceLocation?
  /// What was wrong with the step's own parts; reported when the graph is made.
  private(set) var problem: Diagnostic?

  init(
    _ action: Action, references: [Reference] = [], problem: Diagnostic? = nil,
    at location: SourceLocation? = nil
  ) {
    self.action = action
    textReferences = references
    self.problem = problem
    self.location = location
  }

  /// Makes a step of an instruction of the graph.
  public init(_ instruction: Instruction) {
    self.init(.instruction(instruction))
  }

  public var step: Step { self }

  func adding(_ problem: Diagnostic?) -> Step {
    var step = self
    step.problem = step.problem ?? problem
    return step
  }

  var isTrigger: Bool {
    if case .onBuild = action { true } else { false }
  }

  /// Everything that the step refers to by name.
  var references: [Reference] {
    switch action {
    case .instruction(let instruction): words(of: instruction)
    case .copy(let copy, _, _): words(of: .copy(copy))
    case .run(let run, _, let mounts):
      words(of: .run(run))
        + mounts.flatMap { $0.fields.flatMap { $0.value?.references ?? [] } }
    case .start: []
    case .onBuild(let triggers): triggers.flatMap(\.references)
    }
  }

  private func words(of instruction: Instruction) -> [Reference] {
    textReferences + instruction.words.flatMap(\.references)
  }
}
