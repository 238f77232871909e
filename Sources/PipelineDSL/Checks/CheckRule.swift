/// One thing that a check looks for.
///
/// A rule is a struct in a file of its own; ``CheckRules`` lists them, and `docs/checks.md` has a
/// section on each. It is a pure function of what was written.
package protocol CheckRule: Sendable {
  /// The name in messages and in `# check=skip=…`; BuildKit's where it has the rule.
  var id: String { get }
  /// What the rule demands, as a sentence without a full stop.
  var summary: String { get }
  var severity: Diagnostic.Severity { get }
  /// True for a rule that only runs where `# check=experimental=…` names it.
  var isExperimental: Bool { get }

  /// What is found wrong.
  func check(_ input: CheckInput) -> [Diagnostic]

  /// How to put right what was found, where that can be done without knowing the intention.
  func edits(for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput)
    -> [SourceEdit]
}

extension CheckRule {
  package var severity: Diagnostic.Severity { .warning }
  package var isExperimental: Bool { false }

  package func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] { [] }

  /// A finding of this rule.
  func finding(
    _ message: String, at location: SourceLocation?, label: String? = nil,
    notes: [Diagnostic.Note] = [], help: String? = nil
  ) -> Diagnostic {
    Diagnostic(
      message, severity: severity, id: id, at: location, label: label, notes: notes, help: help)
  }
}
