/// What `# check=` says: rules to leave out, experimental ones to add, and whether findings fail.
package struct CheckConfiguration: Hashable, Sendable {
  package var skipsAll = false
  package var skipped: Set<String> = []
  package var enablesAllExperimental = false
  package var experimental: Set<String> = []
  /// True where a finding is a failure (`error=true`).
  package var failsOnFindings = false

  /// Nothing special.
  package init() {}

  /// Reads `skip=A,B;experimental=C;error=true`, as BuildKit does.
  ///
  /// - Throws: a diagnostic without a place for anything else.
  package init(_ text: String) throws(Diagnostic) {
    for part in text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false) {
      guard let equals = part.firstIndex(of: "=") else {
        if text.allSatisfy(\.isWhitespace) { return }
        throw Self.invalid(String(part))
      }
      let key = Self.trimmed(part[..<equals])
      let value = Self.trimmed(part[part.index(after: equals)...])
      switch key {
      case "skip" where value == "all": skipsAll = true
      case "skip": skipped.formUnion(Self.names(value))
      case "experimental" where value == "all": enablesAllExperimental = true
      case "experimental": experimental.formUnion(Self.names(value))
      case "error":
        guard let flag = Self.bool(value) else {
          throw Diagnostic(
            "failed to parse check option 'error=\(value)'", help: "write error=true or error=false"
          )
        }
        failsOnFindings = flag
      default: throw Self.invalid(key)
      }
    }
  }

  /// Whether a rule's findings are shown.
  package func enables(_ id: String, isExperimental: Bool) -> Bool {
    isExperimental
      ? enablesAllExperimental || experimental.contains(id) : !skipsAll && !skipped.contains(id)
  }

  /// The first `# check=…` among the comments above an instruction; it counts for that one only.
  ///
  /// One that cannot be read counts for nothing, as in BuildKit.
  package init?(comments: [String]) {
    for comment in comments {
      let text = Self.trimmed(comment.dropFirst())
      guard comment.hasPrefix("#"), text.lowercased().hasPrefix("check") else { continue }
      let rest = Self.trimmed(text.dropFirst("check".count)[...])
      guard rest.hasPrefix("=") else { continue }
      let value = Self.trimmed(rest.dropFirst()).prefix { $0 != " " }
      do {
        try self.init(String(value))
        return
      } catch {
        return nil
      }
    }
    return nil
  }

  private static func invalid(_ option: String) -> Diagnostic {
    Diagnostic(
      "invalid check option '\(option)'",
      help: "the options are skip=RULE,…, experimental=RULE,… and error=true, with ';' between them"
    )
  }

  private static func names(_ value: String) -> [String] {
    value.split(separator: ",").map { trimmed($0) }
  }

  private static func bool(_ value: String) -> Bool? {
    switch value {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    var text = text[...]
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
