/// A PATH without the system's directories leaves a RUN without commands.
struct PathReplaced: CheckRule {
  let id = "PathReplaced"
  let summary = "ENV PATH should keep the system's directories"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let escape = input.graph.directives.escape
    return input.steps.compactMap { placed in
      guard case .environment(let assignments) = placed.step.instruction,
        let value = assignments.all.last(where: { $0.name.raw == "PATH" })?.value,
        WordExpansion.names(in: value, escape: escape).isEmpty
      else { return nil }
      let entries = value.raw.split(separator: ":").map { $0.filter { $0 != "\"" && $0 != "'" } }
      guard !entries.contains(where: { $0 == "/bin" || $0 == "/usr/bin" }) else { return nil }
      return finding(
        "this PATH has neither /bin nor /usr/bin",
        at: input.place(of: value.raw, in: placed.location),
        help: "write ENV PATH=\(value.raw.filter { $0 != "\"" && $0 != "'" }):$PATH")
    }
  }
}
