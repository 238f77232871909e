public import PipelineDSL

/// A stage that compiles Python packages and leaves the wheels in pip's cache.
///
/// The base has a compiler; what is installed from the cache afterwards needs none.
public struct CompiledWheels: StageTemplate {
  public struct Outputs: Sendable {
    /// The home of pip's cache, wheels included.
    public let cache = Output.directory("/root/.cache")
    /// The list that was installed, so that the next stage installs the very same.
    public let requirements = Output.file("/requirements.txt")
  }

  public let base: BaseImage
  let requirements: Word
  let pip: Pip

  /// Declares which list of the build context to compile, and on which image.
  public init(of requirements: Word, on base: BaseImage, with pip: Pip) {
    self.requirements = requirements
    self.base = base
    self.pip = pip
  }

  public var outputs: Outputs { Outputs() }

  public var steps: [Step] {
    Copy(requirements, to: "/requirements.txt")
    Run(pip.install("/requirements.txt"))
  }
}
