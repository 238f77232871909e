/// A promise that a stage leaves something behind at a path.
///
/// It becomes an ``Artifact`` of the stage it was declared for.
///
/// ```swift
/// let build = OutputStage(
///   "build", from: .image("golang:1.24"),
///   outputs: (app: Output.executable("/out/app"), licences: Output.directory("/out/licences"))
/// ) {
///   Run("make install DESTDIR=/out")
/// }
/// Copy(build.app, to: "/usr/bin/app")
/// ```
public struct Output<Kind: ArtifactKind>: OutputDeclaration {
  public let declaration: ArtifactDeclaration

  fileprivate init(
    _ path: String, _ fileID: StaticString, _ filePath: StaticString, _ line: UInt, _ column: UInt
  ) {
    declaration = ArtifactDeclaration(
      Kind.declared, at: path,
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }
}

extension Output where Kind == File {
  /// A regular file that will be at a path.
  public static func file(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Output {
    Output(path, fileID, filePath, line, column)
  }
}

extension Output where Kind == Directory {
  /// A directory that will be at a path.
  public static func directory(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Output {
    Output(path, fileID, filePath, line, column)
  }
}

extension Output where Kind == Executable {
  /// A program that will be at a path.
  public static func executable(
    _ path: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> Output {
    Output(path, fileID, filePath, line, column)
  }
}

/// An output of any kind.
public protocol OutputDeclaration: Sendable {
  /// What was promised.
  var declaration: ArtifactDeclaration { get }
}
