/// Copies files into the stage: `COPY`.
///
/// ```swift
/// Copy("requirements.txt", to: "/src/")
/// Copy(build.directory("/out"), to: "/opt/app")
/// Copy("/usr/lib/*.so", from: build, to: "/usr/lib/")
/// Copy("settings.json", to: "/etc/app/").ifPresent()
/// Copy(content: "nameserver 9.9.9.9\n", to: "/etc/resolv.conf")
/// ```
public struct Copy: SingleStep {
  private var instruction: CopyInstruction
  private let origin: BaseImage
  private var artifact: ArtifactDeclaration?
  private var needsNumericOwner = false
  private var problem: Diagnostic?

  /// Copies paths or wildcards of the main build context.
  public init(_ sources: Word..., to destination: Word) {
    instruction = CopyInstruction(
      sources.map { .path($0.asOperand) }, to: destination.asOperand)
    origin = .context(.main)
  }

  /// Copies paths or wildcards of a stage, an image or a named context.
  public init(_ sources: Word..., from origin: some ArtifactSource, to destination: Word) {
    instruction = CopyInstruction(
      sources.map { .path($0.asOperand) }, to: destination.asOperand)
    self.origin = origin.tree
  }

  @available(
    *, unavailable,
    message: """
      text names neither a stage nor an image by itself: write 'from: .image("…")' for an image, or \
      the identifier of a stage, as in 'from: build'
      """
  )
  public init(_ sources: Word..., from origin: String, to destination: Word) {
    self.init(to: destination)
  }

  /// Copies what a stage, an image or a context has at one path; a directory's contents.
  public init(_ artifact: any ArtifactReference, to destination: Word) {
    let place = artifact.reference
    instruction = CopyInstruction(
      [.path(Word(exactPath: place.declaration.path))], to: destination.asOperand)
    origin = place.origin
    self.artifact = place.declaration
  }

  @available(
    *, unavailable,
    message: "a secret would be stored in the image: mount it with '.reading(secret)' of 'Run'"
  )
  public init(_ secret: Secret, to destination: Word) {
    self.init(to: destination)
  }

  @available(
    *, unavailable,
    message: "say what to copy from it, as in 'Copy(build.directory(\"/out\"), to: \"/opt\")'"
  )
  public init(_ tree: some ArtifactSource, to destination: Word) {
    self.init(to: destination)
  }

  /// Writes a file whose content stands in the program.
  ///
  /// The content is taken literally and ends in a line feed: one is added where it has none.
  public init(content: String, to destination: Word) {
    instruction = CopyInstruction(
      [.heredoc(Heredoc(literal: content))], to: destination.asOperand)
    origin = .context(.main)
  }

  /// Copies as an instruction of the graph says, for a spelling that nothing else here offers.
  public init(_ instruction: CopyInstruction) {
    self.init(instruction, from: BuildContext.main)
  }

  /// Copies as an instruction says, from a tree that takes the place of the instruction's `from`.
  public init(_ instruction: CopyInstruction, from origin: some ArtifactSource) {
    self.instruction = instruction
    self.origin = origin.tree
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
    copy.problem = copy.problem ?? mode.problem
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

  /// Copies nothing, and fails not, where a source is not there.
  ///
  /// Its directory has to be there all the same. In a Dockerfile this is a wildcard that only the
  /// path itself matches, such as `settings.jso[n]`.
  public func ifPresent() -> Copy {
    var copy = self
    copy.artifact = nil
    copy.instruction.sources = instruction.sources.map { source in
      guard case .path(var path) = source else { return source }
      guard let pattern = Self.pattern(for: path.raw) else {
        copy.problem =
          copy.problem
          ?? Diagnostic(
            "'\(path.raw)' cannot be copied only if it is there",
            help: "name one file or directory, without variables, quotes and wildcards")
        return source
      }
      path.raw = pattern
      return .path(path)
    }
    return copy
  }

  /// A wildcard that one path alone matches (C4); a wildcard without match is no error.
  private static func pattern(for path: String) -> String? {
    var scalars = Array(path.unicodeScalars)
    while scalars.count > 1, scalars.last == "/" { scalars.removeLast() }
    let isLiteral = !scalars.contains { "$\"'\\*?[]".unicodeScalars.contains($0) }
    let start = scalars.lastIndex(of: "/").map { $0 + 1 } ?? 0
    guard isLiteral,
      let index = scalars[start...].lastIndex(where: { $0 != "^" && $0 != "-" && $0 != "." })
    else { return nil }
    var pattern = ""
    pattern.unicodeScalars.append(contentsOf: scalars[..<index])
    pattern += "[\(scalars[index])]"
    pattern.unicodeScalars.append(contentsOf: scalars[(index + 1)...])
    return pattern
  }

  public var step: Step {
    Step(.copy(instruction, from: origin, artifact: artifact), problem: problem ?? linkProblem)
  }

  private var linkProblem: Diagnostic? {
    guard instruction.isLinked, needsNumericOwner, instruction.mode == nil else { return nil }
    return Diagnostic(
      "a linked copy cannot look up its owner by name",
      help: "give numbers, as in '.owned(by: .id(1000))', or leave out '.linked()'")
  }
}
