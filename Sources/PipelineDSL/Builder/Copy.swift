/// Copies files into the stage: `COPY`.
///
/// ```swift
/// Copy("requirements.txt", to: "/src/")
/// Copy(build.directory("/out"), to: "/opt/app")
/// Copy("/usr/lib/*.so", from: .stage(build), to: "/usr/lib/")
/// Copy(content: "nameserver 9.9.9.9\n", to: "/etc/resolv.conf")
/// ```
public struct Copy: SingleStep {
  private var instruction: CopyInstruction
  private let origin: BaseImage
  private let artifact: ArtifactDeclaration?
  private var needsNumericOwner = false

  /// Copies paths or wildcards, of the main build context unless another tree is given.
  public init(_ sources: Word..., from origin: BaseImage = .context(.main), to destination: Word) {
    instruction = CopyInstruction(
      sources.map { .path($0.asOperand) }, to: destination.asOperand)
    self.origin = origin
    artifact = nil
  }

  /// Copies what a stage, an image or a context has at one path; a directory's contents.
  public init(_ artifact: any ArtifactReference, to destination: Word) {
    let place = artifact.reference
    instruction = CopyInstruction(
      [.path(Word(exactPath: place.declaration.path))], to: destination.asOperand)
    origin = place.origin
    self.artifact = place.declaration
  }

  /// Writes a file whose content stands in the program.
  ///
  /// The content is taken literally and ends in a line feed: one is added where it has none.
  public init(content: String, to destination: Word) {
    instruction = CopyInstruction(
      [.heredoc(Heredoc(literal: content))], to: destination.asOperand)
    origin = .context(.main)
    artifact = nil
  }

  /// Copies as an instruction of the graph says, for a spelling that nothing else here offers.
  ///
  /// What is copied from is the tree given here, whatever the instruction's own `from` is.
  public init(_ instruction: CopyInstruction, from origin: BaseImage = .context(.main)) {
    self.instruction = instruction
    self.origin = origin
    artifact = nil
  }

  /// Gives everything that is copied, and created parents, an owner.
  public func owned(by owner: Owner) -> Copy {
    var copy = self
    copy.instruction.owner = owner.word
    copy.needsNumericOwner = !owner.isNumeric
    return copy
  }

  /// Gives everything that is copied these permissions.
  public func withMode(_ mode: FileMode) -> Copy {
    var copy = self
    copy.instruction.mode = mode.word
    return copy
  }

  /// Makes a layer that does not depend on the layers below it.
  ///
  /// Such a layer stays valid when the base changes. It follows no symbolic link of the
  /// destination, and its owner has to be numeric.
  public func linked() -> Copy {
    var copy = self
    copy.instruction.isLinked = true
    return copy
  }

  /// Keeps each source's directories below the destination.
  public func keepingParents() -> Copy {
    var copy = self
    copy.instruction.keepsParents = true
    return copy
  }

  /// Leaves out what matches any of these patterns.
  public func excluding(_ patterns: String...) -> Copy {
    var copy = self
    copy.instruction.excludes += patterns
    return copy
  }

  public var step: Step {
    Step(.copy(instruction, from: origin, artifact: artifact), problem: problem)
  }

  private var problem: Diagnostic? {
    guard instruction.isLinked, needsNumericOwner, instruction.mode == nil else { return nil }
    return Diagnostic(
      "a linked copy cannot look up its owner by name",
      help: "give numbers, as in '.owned(by: .id(1000))', or leave out '.linked()'")
  }
}
