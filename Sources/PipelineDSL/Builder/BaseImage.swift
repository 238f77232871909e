/// A root file system to start from or to copy from.
///
/// A stage, an image and a build context are three different things here, so a misspelt stage is
/// an unknown identifier and never becomes a download.
///
/// ```swift
/// Stage(from: .image("python:3")) { … }
/// Stage(from: .scratch) { … }
/// Stage(from: toolchain) { … }
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
  private var misuse: Diagnostic?

  fileprivate init(_ kind: Kind, at location: SourceLocation? = nil) {
    self.kind = kind
    self.location = location
  }

  /// What is wrong with the image itself, nil where nothing is.
  var problem: Diagnostic? {
    if let misuse { return misuse }
    guard case .image(let reference) = kind, let problem = reference.problem else { return nil }
    return Diagnostic(problem, at: location)
  }

  /// The same image with another tag.
  ///
  /// ```swift
  /// let python = BaseImage.image("python")
  /// Stage(from: python.tagged("3-alpine")) { … }
  /// ```
  public func tagged(
    _ tag: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> BaseImage {
    appending(
      ":" + tag, "tag",
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// The same image at exactly one content, whatever its tag comes to mean.
  ///
  /// ```swift
  /// let python = BaseImage.image("python:3").pinned(to: "sha256:…")
  /// ```
  public func pinned(
    to digest: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> BaseImage {
    appending(
      "@" + digest, "digest",
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  private func appending(
    _ suffix: String, _ what: String, at location: SourceLocation
  ) -> BaseImage {
    guard case .image(let reference) = kind else {
      var image = self
      image.misuse = Diagnostic("only an image of a registry can have a \(what)", at: location)
      return image
    }
    return BaseImage(.image(reference.appending(suffix)), at: location)
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

extension ArtifactSource where Self == BaseImage {
  /// The empty file system.
  public static var scratch: BaseImage { BaseImage(.scratch) }

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
      .image(reference),
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// The result of another stage, where a value of this type is needed.
  ///
  /// ```swift
  /// let base: BaseImage = isDebug ? .stage(build) : .image("debian:12-slim")
  /// ```
  public static func stage(_ stage: Stage) -> BaseImage { BaseImage(.stage(stage)) }

  /// A named build context: a directory, or an image that has been given a name.
  ///
  /// ```swift
  /// Stage(from: .context(BuildContext("busybox"))) { … }
  /// ```
  public static func context(_ context: BuildContext) -> BaseImage {
    BaseImage(.context(context), at: context.location)
  }
}
