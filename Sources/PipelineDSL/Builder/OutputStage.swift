/// A stage together with the outputs it promises, each reachable by its label.
///
/// The outputs are a labelled tuple, a struct of ``Output`` values, or a single ``Output``. Each
/// is checked when the stage ends, used or not.
///
/// ```swift
/// let build = OutputStage(
///   from: .image("node:22"),
///   outputs: (site: Output.directory("/out/site"), report: Output.file("/out/report.txt"))
/// ) {
///   Copy(".", to: "/src")
///   Run("npm run build -- --out /out")
/// }
/// Copy(build.site, to: "/var/www")
/// ```
@dynamicMemberLookup
public struct OutputStage<Outputs: Sendable>: ArtifactSource, Sendable {
  /// The stage itself, for use as a base.
  public let stage: Stage
  private let outputs: Outputs

  /// Declares a stage and what it leaves behind.
  public init(
    _ name: String? = nil, from base: some ArtifactSource, platform: StagePlatform? = nil,
    outputs: Outputs,
    fileID: StaticString = #fileID, filePath: StaticString = #filePath, line: UInt = #line,
    column: UInt = #column, @StepBuilder steps: () -> [Step]
  ) {
    self.outputs = outputs
    stage = Stage(
      name: name, base: base.tree, platform: platform, steps: steps(),
      outputs: Self.declarations(in: outputs),
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Makes one stage of a template.
  ///
  /// Bind the result with `let`: each call makes another stage.
  ///
  /// ```swift
  /// let wheels = OutputStage("wheels", CompiledWheels(base: .image("python:3")))
  /// ```
  public init<Template: StageTemplate>(
    _ name: String, _ template: Template, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
  ) where Template.Outputs == Outputs {
    self.init(
      name: name, template,
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Makes one stage of a template, without a name of its own.
  ///
  /// ```swift
  /// let wheels = OutputStage(CompiledWheels(base: .image("python:3")))
  /// ```
  public init<Template: StageTemplate>(
    _ template: Template, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) where Template.Outputs == Outputs {
    self.init(
      name: nil, template,
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  private init<Template: StageTemplate>(
    name: String?, _ template: Template, at location: SourceLocation
  ) where Template.Outputs == Outputs {
    let outputs = template.outputs
    self.outputs = outputs
    stage = Stage(
      name: name, base: template.base, platform: template.platform, steps: template.steps,
      outputs: Self.declarations(in: outputs), location: location)
  }

  /// The artifact of an output, by the output's label.
  public subscript<Kind: ArtifactKind>(
    dynamicMember label: KeyPath<Outputs, Output<Kind>>
  ) -> Artifact<Kind> {
    artifact(outputs[keyPath: label])
  }

  public var tree: BaseImage { .stage(stage) }

  private func artifact<Kind>(_ output: Output<Kind>) -> Artifact<Kind> {
    Artifact(
      output.declaration.path, in: tree,
      at: output.declaration.location ?? stage.declaration.location)
  }

  /// Reads tuples and structs alike, which no protocol covers.
  private static func declarations(in outputs: Outputs) -> [ArtifactDeclaration] {
    if let single = outputs as? any OutputDeclaration { return [single.declaration] }
    return Mirror(reflecting: outputs).children.compactMap { child in
      (child.value as? any OutputDeclaration)?.declaration
    }
  }
}

extension OutputStage {
  /// The artifact of a stage that promises a single output.
  ///
  /// ```swift
  /// let build = OutputStage(from: .image("gcc:14"), outputs: Output.executable("/app")) {
  ///   Run("make install")
  /// }
  /// Copy(build.output(), to: "/app")
  /// ```
  public func output<Kind>() -> Artifact<Kind> where Outputs == Output<Kind> {
    artifact(outputs)
  }
}
