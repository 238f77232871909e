/// Reads a Dockerfile into a stage graph.
public enum DockerfileParser {
  /// What reading gave: a graph where there was no error, and everything worth saying.
  public struct Result: Sendable {
    public var graph: StageGraph?
    public var diagnostics: [Diagnostic]

    /// Creates a result.
    public init(graph: StageGraph?, diagnostics: [Diagnostic]) {
      self.graph = graph
      self.diagnostics = diagnostics
    }
  }

  /// Reads the bytes of a file.
  ///
  /// Never throws: errors are diagnostics, several at a time.
  public static func parse(_ bytes: [UInt8], file: String, path: String = "") -> Result {
    Result(graph: nil, diagnostics: [Diagnostic("parsing is being written")])
  }

  /// Reads the text of one `ONBUILD` trigger (S10): one instruction, default escape character.
  public static func parseTrigger(
    _ text: String, at location: SourceLocation?
  ) throws(Diagnostic) -> Instruction {
    throw Diagnostic("parsing is being written", at: location)
  }
}
