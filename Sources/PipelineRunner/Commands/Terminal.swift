import Glibc
import PipelineDSL
import SystemPackage

/// What a person reads: diagnostics with the text they point at.
enum Terminal {
  /// Prints diagnostics on standard error.
  static func report(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { StandardError.write(render(diagnostic)) }
  }

  /// A diagnostic as text, with an excerpt where the file can still be read.
  static func render(_ diagnostic: Diagnostic) -> String {
    DiagnosticRenderer { location in
      guard !location.path.isEmpty else { return nil }
      return try? FileContent.read(FilePath(location.path))
    }.render(diagnostic)
  }
}
