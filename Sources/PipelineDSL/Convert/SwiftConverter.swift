/// Writes a Swift program that declares the image of a stage graph.
///
/// The program comes to the same graph, up to the spellings that mean the same. What no
/// declaration can say stands in it as a comment that names the line.
public enum SwiftConverter {
  /// A program, and what it does not say.
  public struct Program: Sendable {
    /// The source of one file.
    public var source: String
    /// A warning for each part of the graph that the program leaves out.
    public var diagnostics: [Diagnostic]
  }

  /// Converts a graph.
  ///
  /// - Parameters:
  ///   - graph: what a Dockerfile was read into.
  ///   - name: the program's type, `Image` unless given.
  ///   - isMain: whether the type is the program, as it is unless said otherwise.
  /// - Returns: the program and what it leaves out.
  public static func program(
    for graph: StageGraph, named name: String = "Image", isMain: Bool = true
  ) -> Program {
    var writer = ProgramWriter(graph)
    let source = writer.write(named: name, isMain: isMain)
    return Program(source: source, diagnostics: writer.diagnostics)
  }
}
