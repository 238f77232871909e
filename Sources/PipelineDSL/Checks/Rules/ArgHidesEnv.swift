/// An ARG after an ENV of the same name wins in RUN and in expansion, not in the image (X3).
struct ArgHidesEnv: CheckRule {
  let id = "ArgHidesEnv"
  let summary = "ARG should not follow an ENV of the same name"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for stage in input.graph.stages.indices {
      var set: [String: SourceLocation?] = [:]
      for ancestor in input.relations.lineage(of: stage).reversed() {
        for step in input.graph.stages[ancestor].steps {
          switch step.instruction {
          case .environment(let assignments):
            for assignment in assignments.all {
              set.updateValue(step.location, forKey: assignment.name.raw)
            }
          case .argument(let declarations) where ancestor == stage:
            for name in declarations.map(\.name) {
              guard let place = set[name] else { continue }
              found.append(
                finding(
                  "ARG '\(name)' hides the ENV of the same name",
                  at: input.place(of: name, in: step.location),
                  label: "RUN sees the argument, the image keeps the ENV",
                  notes: [Diagnostic.Note("'\(name)' is set here", at: place)],
                  help: "use one name for one thing, or put the ARG above: "
                    + "'ARG \(name)' and then 'ENV \(name)=$\(name)'"))
            }
          default: break
          }
        }
      }
    }
    return found
  }
}
