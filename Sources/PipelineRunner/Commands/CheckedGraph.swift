import PipelineDSL
import SystemPackage

/// What the checks say of a build.
struct CheckedGraph {
  var report: CheckReport
  /// What was checked; nil where it could not be read.
  var input: CheckInput?
  /// The text that findings are in; nil where each is in a file of its own.
  var source: SourceText?

  /// Checks an image that could be read.
  ///
  /// `options` count instead of the file's `# check=`.
  init(_ image: DeclaredImage, ignore: IgnorePatterns?, options: String? = nil) {
    let input = CheckInput(image.graph, source: image.source, ignore: ignore)
    self.input = input
    source = image.source
    report = CheckReport(input, found: image.found, options: options)
  }

  /// Checks the bytes of a Dockerfile.
  init(_ bytes: [UInt8], _ path: FilePath, ignore: IgnorePatterns?) {
    let result = GraphOptions.parse(bytes, path)
    let source = SourceText(bytes)
    self.source = source
    guard let graph = result.graph else {
      report = CheckReport(unreadable: result.diagnostics)
      return
    }
    let input = CheckInput(graph, source: source, ignore: ignore)
    self.input = input
    report = CheckReport(input, found: result.diagnostics)
  }

  /// So many warnings are shown before a build.
  private static let mostWarnings = 8

  /// What to tell before a build.
  ///
  /// Errors are not among it: a build that comes to them stops there, and one that does not is
  /// none the worse.
  ///
  /// - Throws: all findings where `# check=error=true` makes a failure of them, and check options
  ///   that cannot be read.
  func warnings() throws(CommandFailure) -> [Diagnostic] {
    let malformed = report.diagnostics.filter { $0.severity == .error && $0.id == nil }
    guard malformed.isEmpty else { throw CommandFailure.badInput(malformed) }
    guard !report.isRefused else {
      let rules = Set(report.diagnostics.compactMap(\.id)).sorted().joined(separator: ", ")
      throw CommandFailure.badInput(
        report.diagnostics + [
          Diagnostic(
            "the check option error=true is set, and there are findings of \(rules)",
            help: "put them right, or leave a rule out with '# check=skip=RULE'")
        ])
    }
    let warnings = report.diagnostics.filter { $0.severity != .error }
    guard warnings.count > Self.mostWarnings + 1 else { return warnings }
    let rest = warnings.count - Self.mostWarnings
    return warnings.prefix(Self.mostWarnings) + [
      Diagnostic(
        "there are \(rest) more findings", severity: .warning,
        help: "see them all with 'check', or build with --no-checks")
    ]
  }
}
