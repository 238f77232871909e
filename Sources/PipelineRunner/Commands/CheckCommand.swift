import ArgumentParser
import PipelineDSL
import SystemPackage

/// `check`: tells what is wrong or doubtful, and builds nothing.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tell what is wrong or doubtful, without building.",
    discussion: """
      The rules are in docs/checks.md. The exit status is 1 where there is an error, or a finding
      under '# check=error=true'.
      """)

  @OptionGroup var graph: GraphOptions

  @Option(help: "How to write findings: human, json (one object a line) or github.")
  var format: CheckFormat = .human

  @Flag(help: "Put right in the Dockerfile what can be put right mechanically.")
  var fix = false

  @Argument(help: "The directory that COPY reads from.")
  var context: String?

  func run() async throws {
    var checked: CheckedGraph
    var fixed = 0
    if Declaration.current != nil {
      guard !fix else {
        throw CommandFailure.usage("--fix changes Dockerfiles, and this is a program")
      }
      let image = try graph.load(context: context)
      let main = FilePath(context ?? image.contextDirectory)
      checked = CheckedGraph(image, ignore: try graph.ignorePatterns(context: main))
    } else {
      let (bytes, path) = try graph.dockerfile(context: context)
      let ignore = try graph.ignorePatterns(context: FilePath(context ?? "."))
      checked = CheckedGraph(bytes, path, ignore: ignore)
      if fix {
        guard graph.file != "-" else {
          throw CommandFailure.usage(
            "--fix needs a file, and this one comes from standard input")
        }
        fixed = try DockerfileFix.apply(to: &checked, bytes, path, ignore: ignore)
      }
    }
    let text = format.text(of: checked)
    print(text, terminator: "")
    if format == .human { print(Self.summary(checked.report.diagnostics, fixed: fixed)) }
    if checked.report.isFailure { throw ExitCode(1) }
  }

  private static func summary(_ diagnostics: [Diagnostic], fixed: Int) -> String {
    let errors = diagnostics.count { $0.severity == .error }
    let counts = [(errors, "error"), (diagnostics.count - errors, "warning")].filter { $0.0 > 0 }
      .map { count, name in "\(count) \(name)\(count == 1 ? "" : "s")" }
    let found = counts.isEmpty ? "nothing found" : counts.joined(separator: ", ")
    return fixed > 0 ? "\(fixed) put right, \(found)" : found
  }
}
