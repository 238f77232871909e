/// What the checks found, in the order of the file.
package struct CheckReport: Sendable {
  package var diagnostics: [Diagnostic]
  /// True where `error=true` makes a failure of what was found.
  package let isRefused: Bool

  /// True where there is an error, or a finding under `error=true`.
  package var isFailure: Bool { isRefused || diagnostics.contains { $0.severity == .error } }

  /// Runs every rule over a graph.
  ///
  /// - Parameters:
  ///   - input: what to look at.
  ///   - found: what was found while reading; rules that the parser serves are among it.
  ///   - options: what counts instead of the file's `# check=` directive.
  package init(_ input: CheckInput, found: [Diagnostic] = [], options: String? = nil) {
    var all = found
    var configuration = CheckConfiguration()
    if let text = options ?? input.graph.directives.check {
      do {
        configuration = try CheckConfiguration(text)
      } catch {
        var diagnostic = error
        if options == nil { diagnostic.location = Self.directive(in: input) }
        all.append(diagnostic)
      }
    }
    for rule in CheckRules.all { all += rule.check(input) }
    let scopes = Self.scopes(input.graph)
    diagnostics = Self.ordered(
      all.filter { Self.isShown($0, configuration, scopes) })
    isRefused =
      configuration.failsOnFindings
      && diagnostics.contains { $0.severity == .warning && $0.id != nil }
  }

  /// A report on a file that could not be read into a graph.
  package init(unreadable found: [Diagnostic]) {
    diagnostics = Self.ordered(found)
    isRefused = true
  }

  /// The edits that put right what can be put right mechanically.
  package func edits(_ input: CheckInput) -> [SourceEdit] {
    diagnostics.flatMap { Self.edits(for: $0, in: input) }
  }

  /// The edits that put one finding right; none where that takes a person.
  package static func edits(for diagnostic: Diagnostic, in input: CheckInput) -> [SourceEdit] {
    guard let source = input.source, let rule = diagnostic.id.flatMap(CheckRules.rule(named:))
    else { return [] }
    return rule.edits(for: diagnostic, in: source, of: input)
  }

  // MARK: - Choosing

  /// Lines that a `# check=` comment speaks of.
  private struct Scope {
    var file: String
    var lines: ClosedRange<Int>
    var configuration: CheckConfiguration
  }

  private static func scopes(_ graph: StageGraph) -> [Scope] {
    var scopes: [Scope] = []
    func add(_ comments: [String], _ location: SourceLocation?) {
      guard let location, let own = CheckConfiguration(comments: comments) else { return }
      scopes.append(
        Scope(
          file: location.file, lines: location.line...max(location.line, location.endLine),
          configuration: own))
    }
    for stage in graph.stages {
      add(stage.comments, stage.location)
      for step in stage.steps { add(step.comments, step.location) }
    }
    for step in graph.globals { add(step.comments, step.location) }
    return scopes
  }

  private static func isShown(
    _ diagnostic: Diagnostic, _ configuration: CheckConfiguration, _ scopes: [Scope]
  ) -> Bool {
    guard let id = diagnostic.id, diagnostic.severity != .error else { return true }
    let isExperimental = CheckRules.rule(named: id)?.isExperimental ?? false
    let own = scopes.first { scope in
      guard let location = diagnostic.location else { return false }
      return scope.file == location.file && scope.lines.contains(location.line)
    }
    let isEnabled = configuration.enables(id, isExperimental: isExperimental)
    guard let own else { return isEnabled }
    let isEnabledThere = own.configuration.enables(id, isExperimental: isExperimental)
    return isExperimental ? isEnabled || isEnabledThere : isEnabled && isEnabledThere
  }

  private static func ordered(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }.enumerated().sorted { left, right in
      let a = left.element.location
      let b = right.element.location
      return (a?.line ?? 0, a?.column ?? 0, left.offset) < (
        b?.line ?? 0, b?.column ?? 0, right.offset
      )
    }.map(\.element)
  }

  /// Where the `# check=` directive stands.
  private static func directive(in input: CheckInput) -> SourceLocation? {
    guard let first = input.graph.stages.first?.location, let source = input.source else {
      return nil
    }
    let lines = source.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for line in lines.prefix(10) {
      let text = String(decoding: line, as: UTF8.self).lowercased().filter { !$0.isWhitespace }
      if text.hasPrefix("#check=") {
        return source.location(of: line.startIndex..<line.endIndex, in: first)
      }
    }
    return nil
  }
}
