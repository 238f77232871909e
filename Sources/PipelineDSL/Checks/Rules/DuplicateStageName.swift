/// Of stages with one name, only the last can be meant (S1).
struct DuplicateStageName: CheckRule {
  let id = "DuplicateStageName"
  let summary = "Stage names should be unique"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var first: [String: SourceLocation?] = [:]
    var found: [Diagnostic] = []
    for stage in input.graph.stages {
      guard let name = stage.name else { continue }
      guard let earlier = first[name] else {
        first.updateValue(stage.location, forKey: name)
        continue
      }
      found.append(
        finding(
          "duplicate stage name '\(name)'", at: input.place(of: name, in: stage.location),
          label: "from here on, '\(name)' means this stage",
          notes: [Diagnostic.Note("'\(name)' is first declared here", at: earlier)],
          help: "give each stage a name of its own"))
    }
    return found
  }
}
