/// A linked copy has no user database to look a name up in (X7).
struct LinkedOwnerName: CheckRule {
  let id = "LinkedOwnerName"
  let summary = "--chown with --link should be numeric"

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    input.walk { placed, variables in
      let owner: Word?
      switch placed.step.instruction {
      case .copy(let copy) where copy.isLinked && copy.mode == nil: owner = copy.owner
      case .add(let add) where add.isLinked && add.mode == nil: owner = add.owner
      default: return
      }
      guard let owner, let value = variables.expand(owner),
        let name = value.split(separator: ":").first(where: { Int($0) == nil && $0 != "root" })
      else { return }
      found.append(
        finding(
          "'\(name)' cannot be looked up: a copy with --link does not see the stage's /etc/passwd",
          at: input.place(of: "--chown=\(owner.raw)", in: placed.location),
          help: "write numbers, such as --chown=1000:1000, or leave --link out"))
    }
    return found
  }
}
