/// A root file system to start from or to copy from.
///
/// A stage, an image and a build context are three different things here, so a misspelt stage is
/// an unknown identifier and never becomes a download.
///
/// ```swift
/// Stage(from: .image("python:3")) { … }
/// Stage(from: .scratch) { … }
/// Stage(from: .stage(toolchain)) { … }
/// ```
public struct BaseImage: ArtifactSource, Sendable {
  indirect enum Kind: Sendable {
    case scratch
    case image(ImageReference)
    case stage(Stage)
    case context(BuildContext)
  }

  let kind: Kind
  let location: SourceLocation?

  /// The empty file system.
  public static let scratch = BaseImage(kind: .scratch, location: nil)

  /// An image from a registry.
  ///
  /// ```swift
  /// Stage("python-base", from: .image("python:3")) { … }
  /// ```
  public static func image(
    _ reference: ImageReference, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
  ) -> BaseImage {
    BaseImage(
      kind: .image(reference),
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// The result of another stage.
  ///
  /// ```swift
  /// Stage("test", from: .stage(build)) { Run("make test") }
  /// ```
  public static func stage(_ stage: Stage) -> BaseImage {
    BaseImage(kind: .stage(stage), location: nil)
  }

  /// A named build context: a directory, or an image that has been given a name.
  ///
  /// ```swift
  /// Stage(from: .context(BuildContext("busybox"))) { … }
  /// ```
  public static func context(_ context: BuildContext) -> BaseImage {
    BaseImage(kind: .context(context), location: context.location)
  }

  /// The same image with another tag.
  ///
  /// ```swift
  /// let python = BaseImage.image("python")
  /// Stage(from: python.tagged("3-alpine")) { … }
  /// ```
  public func tagged(_ tag: String) -> BaseImage {
    guard case .image(let reference) = kind else { return self }
    return BaseImage(kind: .image(reference.appending(":" + tag)), location: location)
  }

  /// The same image at exactly one content, whatever its tag comes to mean.
  ///
  /// ```swift
  /// let python = BaseImage.image("python:3").pinned(to: "sha256:…")
  /// ```
  public func pinned(to digest: String) -> BaseImage {
    guard case .image(let reference) = kind else { return self }
    return BaseImage(kind: .image(reference.appending("@" + digest)), location: location)
  }

  public var tree: BaseImage { self }

  /// What makes two trees the same one.
  enum Identity: Hashable {
    case scratch
    case image(String)
    case stage(Stage)
    case context(String?)
  }

  var identity: Identity {
    switch kind {
    case .scratch: .scratch
    case .image(let reference): .image(reference.text)
    case .stage(let stage): .stage(stage)
    case .context(let context): .context(context.name)
    }
  }
}
