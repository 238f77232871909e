/// A place in a source text: a Swift declaration or a Dockerfile.
///
/// Lines and columns count from 1; columns count bytes of the line, as compilers do.
public struct SourceLocation: Hashable, Sendable {
  /// The name a person sees, for example `Dockerfile` or `LightPython/LightPython.swift`.
  public var file: String
  /// Where the text can be read again for an excerpt; empty when nobody knows.
  public var path: String
  public var line: Int
  public var column: Int
  /// The last position of the range, exclusive; equal to the start where only a point is known.
  public var endLine: Int
  public var endColumn: Int

  /// Creates the location of a range; without an end it is a point.
  public init(
    file: String, path: String = "", line: Int, column: Int, endLine: Int? = nil,
    endColumn: Int? = nil
  ) {
    self.file = file
    self.path = path
    self.line = line
    self.column = column
    self.endLine = endLine ?? line
    self.endColumn = endColumn ?? column
  }

  /// Creates the location of a Swift expression from the compiler's literals.
  public init(fileID: StaticString, filePath: StaticString, line: UInt, column: UInt) {
    self.init(
      file: "\(fileID)", path: "\(filePath)", line: Int(line), column: Int(column))
  }
}

extension SourceLocation: CustomStringConvertible {
  public var description: String { "\(file):\(line):\(column)" }
}
