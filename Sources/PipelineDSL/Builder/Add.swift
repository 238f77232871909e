/// Adds archives, downloads and git repositories to the stage: `ADD`.
///
/// For plain files prefer ``Copy``: what it does never depends on a file's content.
///
/// ```swift
/// Add("rootfs.tar.xz", to: "/")
/// Add("https://example.org/tool", to: "/usr/bin/tool").checked("sha256:…").withMode(0o755)
/// Add("https://example.org/app.git#v1.2", to: "/src").keepingGitDirectory()
/// ```
public struct Add: SingleStep {
  private var instruction: AddInstruction
  private var problem: Diagnostic?

  /// Adds paths of the main build context, URLs or git references.
  public init(_ sources: Word..., to destination: Word) {
    instruction = AddInstruction(
      sources.map { .path($0.asOperand) }, to: destination.asOperand)
  }

  /// Gives everything that is added an owner.
  public func owned(by owner: Owner) -> Add {
    var addition = self
    addition.instruction.owner = owner.word
    return addition
  }

  /// Gives everything that is added these permissions.
  public func withMode(_ mode: FileMode) -> Add {
    var addition = self
    addition.instruction.mode = mode.word
    addition.problem = mode.problem
    return addition
  }

  /// Accepts a download or a commit only with this digest.
  public func checked(_ checksum: Word) -> Add {
    var addition = self
    addition.instruction.checksum = checksum
    return addition
  }

  /// Makes a layer that does not depend on the layers below it.
  public func linked() -> Add {
    var addition = self
    addition.instruction.isLinked = true
    return addition
  }

  /// Keeps `.git`, which is otherwise left out.
  public func keepingGitDirectory() -> Add {
    var addition = self
    addition.instruction.keepsGitDirectory = true
    return addition
  }

  /// Unpacks archives, downloaded ones too, or none at all.
  public func unpacking(_ choice: Unpacking) -> Add {
    var addition = self
    addition.instruction.unpacks = choice == .archives
    return addition
  }

  /// Leaves out what matches any of these patterns.
  public func excluding(_ patterns: String...) -> Add {
    var addition = self
    addition.instruction.excludes += patterns
    return addition
  }

  public enum Unpacking: Hashable, Sendable {
    /// Unpack whatever is an archive.
    case archives
    /// Add archives as the files they are.
    case nothing
  }

  public var step: Step { Step(.instruction(.add(instruction)), problem: problem) }
}
