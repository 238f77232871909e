import PipelineDSL

/// What has to hold for every input.
struct Check {
  private(set) var accepted = 0
  private(set) var printed = 0
  private(set) var slowest = Duration.zero

  /// What is wrong with the way an input is treated, nil where nothing is.
  mutating func failure(of input: [UInt8]) -> String? {
    let (result, time) = ProcessorTime.measuring {
      DockerfileParser.parse(input, file: "Dockerfile")
    }
    slowest = max(slowest, time)
    let errors = result.diagnostics.filter { $0.severity == .error }
    guard let graph = result.graph else { return errors.isEmpty ? "no graph and no error" : nil }
    guard errors.isEmpty else { return "a graph and an error" }
    accepted += 1
    // Conversion is the slowest part, and depends least on odd bytes.
    if accepted.isMultiple(of: 16) { _ = SwiftConverter.program(for: graph) }
    for place in result.diagnostics.compactMap(\.location) where place.line < 1 || place.column < 1
    {
      return "the place \(place)"
    }
    let text: String
    do {
      text = try DockerfilePrinter.print(graph)
    } catch {
      // Some graphs cannot be spelled; what matters is that they are refused.
      return nil
    }
    printed += 1
    let again = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
    guard let second = again.graph else { return "our print is refused:\n\(text)" }
    guard second == graph else { return "our print is another graph:\n\(text)" }
    guard let twice = try? DockerfilePrinter.print(second) else {
      return "our print cannot be printed again:\n\(text)"
    }
    return twice == text ? nil : "our print is printed differently:\n\(text)\nand then\n\(twice)"
  }
}
