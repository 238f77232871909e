import PipelineDSL
import Testing

/// Compares what a declaration prints with a Dockerfile, and what that Dockerfile reads into with
/// the declaration's own graph.
func assertImage(
  _ image: () throws -> Stage, dockerfile expected: () -> String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  do {
    let graph = try StageGraph(target: image())
    let text = try DockerfilePrinter.print(graph)
    let wanted = expected() + "\n"
    if text != wanted {
      Issue.record(
        "the Dockerfile differs:\n\(differences(text, wanted))", sourceLocation: sourceLocation)
    }
    let result = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
    let errors = result.diagnostics.filter { $0.severity == .error }
    #expect(errors.isEmpty, sourceLocation: sourceLocation)
    #expect(result.graph == graph, "reading gives another graph", sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}

/// As ``assertImage(_:dockerfile:sourceLocation:)``, for the steps of one stage.
func assertSteps(
  @StepBuilder _ steps: () -> [Step], dockerfile expected: () -> String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  let steps = steps()
  assertImage(
    { Stage(from: .scratch) { steps } }, dockerfile: { "FROM scratch\n" + expected() },
    sourceLocation: sourceLocation)
}

/// Compares the error of a declaration, without the path of the test file.
func assertRefusal(
  _ image: () throws -> Stage, error expected: () -> String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
  do {
    _ = try DockerfilePrinter.print(try StageGraph(target: image()))
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
  } catch let error as Diagnostic {
    #expect(
      error.location?.file.hasPrefix("PipelineDSLTests/") == true, sourceLocation: sourceLocation)
    #expect(description(error) == expected(), sourceLocation: sourceLocation)
  } catch {
    Issue.record("\(error)", sourceLocation: sourceLocation)
  }
}

/// A diagnostic's message, notes and help.
func description(_ diagnostic: Diagnostic) -> String {
  ([diagnostic.message] + diagnostic.notes.map { "note: " + $0.message }
    + (diagnostic.help.map { ["help: " + $0] } ?? [])).joined(separator: "\n")
}

private func differences(_ text: String, _ wanted: String) -> String {
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  let others = wanted.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  var result: [String] = []
  let difference = lines.difference(from: others)
  for case .remove(let offset, let line, _) in difference {
    result.append("-\(offset + 1): \(line)")
  }
  for case .insert(let offset, let line, _) in difference {
    result.append("+\(offset + 1): \(line)")
  }
  return result.joined(separator: "\n")
}
