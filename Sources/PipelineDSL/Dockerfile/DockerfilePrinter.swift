/// Prints a stage graph as a Dockerfile.
public enum DockerfilePrinter {
  /// The text of a whole graph, ending in a line feed.
  ///
  /// - Throws: a diagnostic at the step that no Dockerfile can express.
  public static func print(_ graph: StageGraph) throws(Diagnostic) -> String {
    throw Diagnostic("printing is being written")
  }
}
