/// A tree of files that a build reads: the main context, or one with a name.
///
/// A named context says where it comes from, so that the program runs without arguments;
/// `--build-context NAME=SOURCE` replaces that source for one build.
///
/// ```swift
/// let tools = BuildContext("host-bin", directory: "/bin")
/// Copy(tools.executable("busybox"), to: "/bin/busybox")
/// ```
public struct BuildContext: ArtifactSource, Sendable {
  /// The name after `--build-context`; nil for the main context.
  public let name: String?
  /// Where the context comes from, in the spelling of `--build-context`; nil if it must be given.
  ///
  /// A path that is not absolute starts at the main context's directory.
  public let source: String?
  let location: SourceLocation?

  /// The context that the build was started with: the directory on the command line.
  public static let main = BuildContext(name: nil, source: nil, location: nil)

  private init(name: String?, source: String?, location: SourceLocation?) {
    self.name = name
    self.source = source
    self.location = location
  }

  /// Declares a context that each build has to give with `--build-context`.
  ///
  /// ```swift
  /// let busybox = BuildContext("busybox")
  /// ```
  public init(
    _ name: String, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) {
    self.init(
      name: name, source: nil,
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Declares a context that is a directory of the machine.
  ///
  /// ```swift
  /// let shared = BuildContext("shared", directory: "../shared")
  /// ```
  public init(
    _ name: String, directory: String, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
  ) {
    self.init(
      name: name, source: directory,
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Declares a context that is an image of a registry.
  ///
  /// ```swift
  /// let base = BuildContext("base", image: "debian:12-slim")
  /// ```
  public init(
    _ name: String, image: String, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
  ) {
    self.init(
      name: name, source: "docker-image://" + image,
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  /// Declares a context that is an image in an OCI layout of the machine.
  ///
  /// ```swift
  /// let base = BuildContext("base", ociLayout: "images/base:latest")
  /// ```
  public init(
    _ name: String, ociLayout: String, fileID: StaticString = #fileID,
    filePath: StaticString = #filePath, line: UInt = #line, column: UInt = #column
  ) {
    self.init(
      name: name, source: "oci-layout://" + ociLayout,
      location: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
  }

  public var tree: BaseImage { .context(self) }

  /// - Throws: a diagnostic for a name that no context can have.
  func check() throws(Diagnostic) {
    guard let name else { return }
    let isWellFormed =
      !name.isEmpty && !name.utf8.allSatisfy { (48...57).contains($0) }
      && name.utf8.allSatisfy {
        (97...122).contains($0) || (48...57).contains($0) || "-_./:".utf8.contains($0)
      }
    guard isWellFormed, name != "scratch", name != "context" else {
      throw Diagnostic(
        "'\(name)' cannot be the name of a build context", at: location,
        help: "use small letters, digits, '-', '_' and '.', and not digits alone")
    }
    if source?.isEmpty == true {
      throw Diagnostic("the build context '\(name)' has an empty source", at: location)
    }
  }
}
