/// Something that lies at a path of a stage, an image or a build context.
///
/// Artifacts carry results from one stage to the next. A stage that is used through one of its
/// artifacts is a dependency; no name has to be repeated, and a missing artifact is reported at
/// the line that declared it.
///
/// ```swift
/// let build = Stage(from: .image("golang:1.24")) {
///   Run("go build -o /out/app .")
/// }
/// let app = build.executable("/out/app")
/// ```
public struct Artifact<Kind: ArtifactKind>: ArtifactReference {
  public let reference: ArtifactPlace

  init(_ path: String, in origin: BaseImage, at location: SourceLocation) {
    reference = ArtifactPlace(
      origin: origin,
      declaration: ArtifactDeclaration(Kind.declared, at: path, location: location))
  }

  /// The artifact's path where it was made.
  public var path: String { reference.declaration.path }
}

/// An artifact of any kind, for steps that accept them all.
public protocol ArtifactReference: Sendable {
  /// Where the artifact lies.
  var reference: ArtifactPlace { get }
}

/// The tree an artifact lies in, and its path there.
public struct ArtifactPlace: Sendable {
  let origin: BaseImage
  let declaration: ArtifactDeclaration
}

/// Something that has paths: a stage, an image, a build context.
///
/// ```swift
/// let configuration = BaseImage.image("nginx:1.29").file("/etc/nginx/nginx.conf")
/// ```
public protocol ArtifactSource {
  /// The tree that paths are looked up in.
  var tree: BaseImage { get }
}

extension ArtifactSource {
  /// A regular file in this tree.
  ///
  /// ```swift
  /// Copy(build.file("/src/LICENSE"), to: "/usr/share/doc/app/")
  /// ```
  public func file(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Artifact<File> {
    Artifact(
      path, in: tree,
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// A directory in this tree.
  ///
  /// ```swift
  /// Copy(build.directory("/root/.cache"), to: "/root/.cache")
  /// ```
  public func directory(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Artifact<Directory> {
    Artifact(
      path, in: tree,
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// A program in this tree.
  ///
  /// ```swift
  /// Entrypoint(build.executable("/out/app"))
  /// ```
  public func executable(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Artifact<Executable> {
    Artifact(
      path, in: tree,
      at: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }
}
