/// Reads a Dockerfile into a stage graph.
///
/// The meaning is that of BuildKit's current Dockerfile frontend. Reading takes time in proportion
/// to the file and never fails half-way: every mistake in the file is in the result.
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

  /// So many errors tell that a file is no Dockerfile; the rest of it is not read.
  private static let mostErrors = 50

  /// Reads the bytes of a file.
  ///
  /// Never throws: errors are diagnostics, several at a time.
  public static func parse(_ bytes: [UInt8], file: String, path: String = "") -> Result {
    var reader = DockerfileReader(bytes, place: .file(name: file, path: path))
    var graph = StageGraph(stages: [])
    var hasInstructions = false
    /// Instructions before the first `FROM` are reported once.
    var strayed = false
    var diagnostics: [Diagnostic] = []
    while let item = reader.next() {
      hasInstructions = true
      switch item.content {
      case .stage(var stage):
        stage.location = item.location
        stage.comments = item.comments + item.innerComments.map(\.text)
        graph.stages.append(stage)
      case .instruction(let instruction):
        let step = StageGraph.Step(
          instruction, at: item.location, comments: item.comments,
          innerComments: item.innerComments)
        if !graph.stages.isEmpty {
          graph.stages[graph.stages.count - 1].steps.append(step)
        } else if case .argument = instruction {
          graph.globals.append(step)
        } else if !strayed {
          strayed = true
          diagnostics.append(straying(item))
        }
      case nil:
        if item.keyword == "FROM" { strayed = true }
      }
      if reader.errorCount >= mostErrors { break }
    }
    graph.directives = reader.directives
    graph.trailingComments = reader.comments
    diagnostics = reader.diagnostics + diagnostics
    if !diagnostics.contains(where: { $0.severity == .error }), graph.stages.isEmpty {
      diagnostics.append(missing(bytes, hasInstructions, file: file, path: path))
    }
    diagnostics.sort(by: isInFileOrder)
    let isGood = !diagnostics.contains { $0.severity == .error }
    return Result(graph: isGood ? graph : nil, diagnostics: diagnostics)
  }

  /// Reads the text of one `ONBUILD` trigger (S10): one instruction, default escape character.
  ///
  /// - Throws: a diagnostic at the place that is given, for whatever is wrong with the text.
  public static func parseTrigger(
    _ text: String, at location: SourceLocation?
  ) throws(Diagnostic) -> Instruction {
    var reader = DockerfileReader(Array(text.utf8), place: .fixed(location))
    let item = reader.next()
    let hasMore = reader.next() != nil
    let note = Diagnostic.Note("the trigger is 'ONBUILD \(text)'")
    if var error = reader.diagnostics.first(where: { $0.severity == .error }) {
      error.location = location
      error.notes.append(note)
      throw error
    }
    guard !hasMore, case .instruction(let instruction) = item?.content else {
      throw Diagnostic(
        hasMore || item == nil
          ? "an ONBUILD trigger should be a single instruction"
          : "FROM isn't allowed as an ONBUILD trigger", at: location, notes: [note])
    }
    return instruction
  }

  private static func straying(_ item: DockerfileReader.Item) -> Diagnostic {
    Diagnostic(
      "\(item.keyword) stands before the first FROM, in no build stage", at: item.location,
      help: "start a stage with FROM; only ARG may come before it")
  }

  private static func missing(
    _ bytes: [UInt8], _ hasInstructions: Bool, file: String, path: String
  ) -> Diagnostic {
    let start = SourceLocation(file: file, path: path, line: 1, column: 1)
    if hasInstructions {
      return Diagnostic(
        "the file has no build stage", at: start, help: "add a FROM instruction")
    }
    return Diagnostic(
      bytes.isEmpty ? "the Dockerfile cannot be empty" : "file with no instructions", at: start,
      help: "a Dockerfile starts with FROM")
  }

  private static func isInFileOrder(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
    guard let left = left.location, let right = right.location else { return false }
    return (left.line, left.column) < (right.line, right.column)
  }
}
