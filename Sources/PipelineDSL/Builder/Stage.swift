/// One stage of a build: what it starts from and what happens in it.
///
/// A stage is a value bound with `let`; other stages refer to it by that identifier, so that an
/// unknown stage or a cycle does not compile. Its name serves printing and `--target` only.
///
/// ```swift
/// let build = Stage("build", from: .image("gcc:14")) {
///   Copy("hello.c", to: "/src/")
///   Run("gcc -static -o /hello /src/hello.c")
/// }
/// return Stage(from: .scratch) {
///   Copy(build.executable("/hello"), to: "/hello")
///   Entrypoint("/hello")
/// }
/// ```
public struct Stage: ArtifactSource, Sendable {
  /// What a stage was declared with.
  ///
  /// It is a class for its identity alone: two stages are the same when they come from the same
  /// declaration, however often the value was copied.
  final class Declaration: Sendable {
    let name: String?
    let base: BaseImage
    let platform: StagePlatform?
    let steps: [Step]
    let outputs: [ArtifactDeclaration]
    let companions: [Stage]
    let location: SourceLocation
    /// How many stages follow each other up to this one.
    private let depth: Int

    init(
      name: String?, base: BaseImage, platform: StagePlatform?, steps: [Step],
      outputs: [ArtifactDeclaration], companions: [Stage], location: SourceLocation
    ) {
      self.name = name
      self.base = base
      self.platform = platform
      self.steps = steps
      self.outputs = outputs
      self.companions = companions
      self.location = location
      let used = StageOrder.stages(in: [base] + steps.flatMap(StageOrder.trees))
      depth = 1 + (used.map(\.declaration.depth).max() ?? 0)
      if depth.isMultiple(of: 1000) {
        // Freeing a chain of stages frees each inside the next one, and the stack is finite: so a
        // link in a thousand is never freed. No chain that a person writes is that long.
        _ = Unmanaged.passRetained(self)
      }
    }
  }

  let declaration: Declaration

  init(
    name: String?, base: BaseImage, platform: StagePlatform?, steps: [Step],
    outputs: [ArtifactDeclaration], companions: [Stage] = [], location: SourceLocation
  ) {
    declaration = Declaration(
      name: name, base: base, platform: platform, steps: steps, outputs: outputs,
      companions: companions, location: location)
  }

  /// Declares a stage: what it starts from and what happens in it.
  ///
  /// The name stands after `AS` and serves `--target`. A platform is needed only where the base is
  /// not for the build's target.
  public init(
    _ name: String? = nil, from base: some ArtifactSource, platform: StagePlatform? = nil,
    fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line,
    column: UInt = #column, @StepBuilder steps: () -> [Step] = { [Step]() }
  ) {
    self.init(
      name: name, base: base.tree, platform: platform, steps: steps(), outputs: [],
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Declares that other stages belong to the same image, though this one does not use them.
  ///
  /// They are printed and `--target` can build them; a build of this stage does not run them.
  /// They come after the stages that this one uses, unless such a stage is among them: then all
  /// come in the order given.
  ///
  /// ```swift
  /// let test = Stage("test", from: .stage(build)) { Run("make test") }
  /// return Stage(from: .scratch) {
  ///   Copy(build.executable("/app"), to: "/app")
  /// }.alongside(test)
  /// ```
  public func alongside(_ stages: Stage...) -> Stage { alongside(stages) }

  func alongside(_ stages: [Stage]) -> Stage {
    Stage(
      name: declaration.name, base: declaration.base, platform: declaration.platform,
      steps: declaration.steps, outputs: declaration.outputs,
      companions: declaration.companions + stages, location: declaration.location)
  }

  public var tree: BaseImage { .stage(self) }

  @available(
    *, unavailable,
    message: """
      text names neither a stage nor an image by itself: write 'from: .image("…")' for an image, or \
      the identifier of a stage, as in 'from: build'
      """
  )
  public init(
    _ name: String? = nil, from base: String, platform: StagePlatform? = nil,
    @StepBuilder steps: () -> [Step] = { [Step]() }
  ) {
    self.init(name, from: .scratch, platform: platform, steps: steps)
  }
}

extension Stage: Hashable {
  public static func == (left: Stage, right: Stage) -> Bool {
    left.declaration === right.declaration
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(declaration))
  }
}
