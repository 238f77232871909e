import PipelineDSL
import Testing

/// Reads a text that has to be right, whatever it is warned about.
func readGraph(
  _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws -> StageGraph {
  let result = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
  #expect(
    result.diagnostics.filter { $0.severity == .error } == [], sourceLocation: sourceLocation)
  return try #require(result.graph, sourceLocation: sourceLocation)
}

/// Reads one instruction of a stage.
func readInstruction(
  _ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws -> Instruction {
  let graph = try readGraph("FROM alpine\n" + text, sourceLocation: sourceLocation)
  let steps = try #require(graph.stages.last, sourceLocation: sourceLocation).steps
  #expect(steps.count == 1, sourceLocation: sourceLocation)
  return try #require(steps.first, sourceLocation: sourceLocation).instruction
}

/// The errors of a text, as `line:column-line:column message`.
func readErrors(_ text: String) -> [String] {
  DockerfileParser.parse(Array(text.utf8), file: "Dockerfile").diagnostics.map { diagnostic in
    let place = diagnostic.location.map {
      "\($0.line):\($0.column)-\($0.endLine):\($0.endColumn) "
    }
    return (place ?? "") + (diagnostic.severity == .error ? "" : "(\(diagnostic.severity)) ")
      + diagnostic.message
  }
}
