/// Prints a stage graph as a Dockerfile.
///
/// Reading the text gives the same graph again; two graphs that are equal print alike, up to
/// comments.
public enum DockerfilePrinter {
  /// The text of a whole graph, ending in a line feed.
  ///
  /// - Throws: a diagnostic at the step that no Dockerfile can express.
  public static func print(_ graph: StageGraph) throws(Diagnostic) -> String {
    var blocks: [String] = []
    var directives = ""
    if let syntax = graph.directives.syntax ?? requiredSyntax(of: graph) {
      directives += "# syntax=\(syntax)\n"
    }
    if graph.directives.escape != "\\" { directives += "# escape=\(graph.directives.escape)\n" }
    if let check = graph.directives.check { directives += "# check=\(check)\n" }
    if !directives.isEmpty { blocks.append(directives) }

    let escape = graph.directives.escape
    let globals = try text(of: graph.globals, escape: escape)
    if !globals.isEmpty { blocks.append(globals) }
    for stage in graph.stages {
      blocks.append(
        comments(stage.comments) + (try from(stage, escape: escape))
          + (try text(of: stage.steps, escape: escape)))
    }
    if !graph.trailingComments.isEmpty { blocks.append(comments(graph.trailingComments)) }

    var text = blocks.map(withoutBlankEdges).joined(separator: "\n")
    if directives.isEmpty, looksLikeDirective(text) {
      // The blank line ends directive mode (L1), so that the comment stays a comment.
      text = "\n" + text
    }
    return text
  }

  private static func text(
    of steps: [StageGraph.Step], escape: Unicode.Scalar
  ) throws(Diagnostic) -> String {
    var text = ""
    for step in steps {
      let printer = InstructionPrinter(
        escape: escape, breaksLines: true, location: step.location)
      let printed = try printer.text(of: step.instruction)
      guard case .instruction(step.instruction) = read(printed, escape: escape) else {
        throw printer.refusal("this \(step.instruction.keyword) would not be read as it is meant")
      }
      let layout = InnerCommentLayout(printed, escape: escape)
      let (laidOut, homeless) = layout.inserting(step.innerComments)
      text += comments(step.comments + homeless) + laidOut + "\n"
    }
    return text
  }

  private static func from(
    _ stage: StageGraph.Stage, escape: Unicode.Scalar
  ) throws(Diagnostic) -> String {
    let printer = InstructionPrinter(escape: escape, breaksLines: true, location: stage.location)
    let printed = try printer.text(from: stage)
    guard case .stage(let read) = read(printed, escape: escape), read.name == stage.name,
      read.base == stage.base, read.platform == stage.platform
    else { throw printer.refusal("this FROM would not be read as it is meant") }
    return printed + "\n"
  }

  /// What a reader makes of an instruction's text: the proof that it was spelled right.
  private static func read(
    _ text: String, escape: Unicode.Scalar
  ) -> InstructionReader.Content? {
    var reader = DockerfileReader(text, directives: StageGraph.Directives(escape: escape))
    let content = reader.next()?.content
    return reader.next() == nil ? content : nil
  }

  private static func comments(_ lines: [String]) -> String {
    lines.map { $0 + "\n" }.joined()
  }

  /// The block without blank lines around it: one of them separates blocks.
  private static func withoutBlankEdges(_ block: String) -> String {
    var lines = block.split(separator: "\n", omittingEmptySubsequences: false)
    while lines.first?.isEmpty == true { lines.removeFirst() }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The frontend that older engines need for flags which their own does not know.
  ///
  /// `--exclude` came with version 1.19 of Dockerfile syntax and `--parents` with 1.20.
  private static func requiredSyntax(of graph: StageGraph) -> String? {
    let needsIt = graph.stages.contains { stage in
      stage.steps.contains { step in
        switch step.instruction {
        case .copy(let copy): copy.keepsParents || !copy.excludes.isEmpty
        case .add(let addition): !addition.excludes.isEmpty || addition.unpacks != nil
        default: false
        }
      }
    }
    return needsIt ? "docker/dockerfile:1" : nil
  }

  /// Whether the first line would be taken for a directive.
  private static func looksLikeDirective(_ text: String) -> Bool {
    let line = text.utf8.prefix { $0 != UInt8(ascii: "\n") }
    var reader = DirectiveReader()
    do {
      return try reader.read(Array(line)[...], number: 1) || line.starts(with: "#!".utf8)
    } catch {
      return true
    }
  }
}
