import ArgumentParser
import FoundationEssentials
import PipelineDSL

/// The values of `check --format`.
enum CheckFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case human
  case json
  case github

  /// Findings as text, every line ended.
  func text(of checked: CheckedGraph) -> String {
    checked.report.diagnostics.map { diagnostic in
      switch self {
      case .human: Self.human(diagnostic, checked.source)
      case .json: Self.json(diagnostic, checked.input)
      case .github: Self.github(diagnostic)
      }
    }.joined()
  }

  /// With an excerpt of what was checked, which may have come from standard input.
  private static func human(_ diagnostic: Diagnostic, _ source: SourceText?) -> String {
    guard let source else { return Terminal.render(diagnostic) }
    return DiagnosticRenderer { _ in source.bytes }.render(diagnostic)
  }

  // MARK: - JSON

  private struct Finding: Encodable {
    struct Note: Encodable {
      var message: String
      var file: String?
      var line: Int?
      var column: Int?
    }

    var rule: String?
    var severity: String
    var message: String
    var file: String?
    var line: Int?
    var column: Int?
    var endLine: Int?
    var endColumn: Int?
    var label: String?
    var notes: [Note]
    var help: String?
    /// Whether `--fix` puts it right.
    var fixable: Bool
  }

  private static func json(_ diagnostic: Diagnostic, _ input: CheckInput?) -> String {
    let location = diagnostic.location
    let finding = Finding(
      rule: diagnostic.id, severity: diagnostic.severity.rawValue, message: diagnostic.message,
      file: location.map(path), line: location?.line, column: location?.column,
      endLine: location?.endLine, endColumn: location?.endColumn, label: diagnostic.label,
      notes: diagnostic.notes.map {
        Finding.Note(
          message: $0.message, file: $0.location.map(path), line: $0.location?.line,
          column: $0.location?.column)
      }, help: diagnostic.help,
      fixable: input.map { !CheckReport.edits(for: diagnostic, in: $0).isEmpty } ?? false)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(finding) else { return "" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private static func path(_ location: SourceLocation) -> String {
    location.path.isEmpty ? location.file : location.path
  }

  // MARK: - GitHub

  /// A workflow command, which GitHub shows beside the line in a pull request.
  private static func github(_ diagnostic: Diagnostic) -> String {
    var properties: [String] = []
    if let location = diagnostic.location {
      properties = [
        "file=\(escaped(path(location), inProperty: true))", "line=\(location.line)",
        "endLine=\(location.endLine)",
      ]
      // Columns are only taken within one line.
      if location.endLine == location.line {
        properties += ["col=\(location.column)", "endColumn=\(location.endColumn)"]
      }
    }
    if let id = diagnostic.id { properties.append("title=\(id)") }
    let kind = diagnostic.severity == .note ? "notice" : diagnostic.severity.rawValue
    let message = diagnostic.message + (diagnostic.help.map { "\n\($0)" } ?? "")
    let list = properties.isEmpty ? "" : " " + properties.joined(separator: ",")
    return "::\(kind)\(list)::\(escaped(message, inProperty: false))\n"
  }

  private static func escaped(_ text: String, inProperty: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": result += "%25"
      case "\r": result += "%0D"
      case "\n": result += "%0A"
      case ":" where inProperty: result += "%3A"
      case "," where inProperty: result += "%2C"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
