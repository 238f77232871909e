/// A stage that several programs declare with their own inputs.
///
/// Inputs are the template's stored properties, outputs a struct of ``Output`` values: both are
/// typed, so a template is used like any other Swift type.
///
/// ```swift
/// struct StaticProgram: StageTemplate {
///   struct Outputs: Sendable {
///     let program = Output.executable("/out/program")
///   }
///
///   var source: Word
///
///   var base: BaseImage { .image("gcc:14") }
///   var outputs: Outputs { Outputs() }
///   var steps: [Step] {
///     Copy(source, to: "/src/main.c")
///     Run("mkdir /out && gcc -static -o /out/program /src/main.c")
///   }
/// }
///
/// let hello = OutputStage(StaticProgram(source: "hello.c"))
/// Copy(hello.program, to: "/hello")
/// ```
public protocol StageTemplate: Steps {
  associatedtype Outputs: Sendable

  /// What the stage starts from.
  var base: BaseImage { get }
  /// The platform of the base; nil is the build's target.
  var platform: StagePlatform? { get }
  /// What the stage leaves behind.
  var outputs: Outputs { get }
}

extension StageTemplate {
  public var platform: StagePlatform? { nil }
}
