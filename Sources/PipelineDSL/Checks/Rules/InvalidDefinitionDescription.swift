/// A comment right above FROM or ARG is taken for its description (L13).
struct InvalidDefinitionDescription: CheckRule {
  let id = "InvalidDefinitionDescription"
  let summary = "A comment right above FROM or ARG should be '# name description'"
  let isExperimental = true

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    func check(_ names: [String], _ comments: [String], _ location: SourceLocation?) {
      guard !names.isEmpty, let comment = Self.description(comments),
        !names.contains(comment.split(separator: " ").first.map(String.init) ?? "")
      else { return }
      let name = names.count == 1 ? names[0] : "<arg_key>"
      found.append(
        finding(
          "the comment above should be '# \(name) <description>'", at: input.keyword(at: location),
          help: "put an empty line below a comment that is not meant as a description"))
    }
    func check(_ step: StageGraph.Step) {
      guard case .argument(let declarations) = step.instruction else { return }
      check(declarations.map(\.name), step.comments, step.location)
    }
    input.graph.globals.forEach(check)
    for stage in input.graph.stages {
      check(stage.name.map { [$0] } ?? [], stage.comments, stage.location)
      stage.steps.forEach(check)
    }
    return found
  }

  /// The text of the comment line right above, nil where there is none.
  private static func description(_ comments: [String]) -> String? {
    guard let last = comments.last, last.hasPrefix("#") else { return nil }
    let text = last.dropFirst().drop(while: \.isWhitespace)
    guard !text.isEmpty, CheckConfiguration(comments: [last]) == nil else { return nil }
    return String(text)
  }
}
