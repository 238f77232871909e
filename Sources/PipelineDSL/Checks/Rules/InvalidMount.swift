/// A mount that no build can read: keys, types and values that do not exist (R5–R8).
struct InvalidMount: CheckRule {
  let id = "InvalidMount"
  let summary = "Mounts should have known keys with proper values"
  let severity = Diagnostic.Severity.error

  func check(_ input: CheckInput) -> [Diagnostic] {
    var found: [Diagnostic] = []
    input.walk { placed, variables in
      guard case .run(let run) = placed.step.instruction else { return }
      for mount in run.mounts {
        guard let values = Self.expanded(mount, variables),
          let problem = Self.problem(values)
        else { continue }
        let field = Self.field(mount, values, failing: problem)
        found.append(
          finding(
            problem.message, at: input.place(of: field, in: placed.location), help: problem.help))
      }
    }
    return found
  }

  /// The mount with its values; nil where one of them is known to a build only.
  private static func expanded(_ mount: Mount, _ variables: StageVariables) -> Mount? {
    var fields: [Mount.Field] = []
    for field in mount.fields {
      guard let word = field.value else {
        fields.append(field)
        continue
      }
      guard let value = variables.expand(word) else { return nil }
      fields.append(Mount.Field(field.key, Word(raw: value)))
    }
    return Mount(fields)
  }

  /// The spelling of the field at fault: the last of the fewest that fail in the same way.
  private static func field(
    _ mount: Mount, _ values: Mount, failing problem: Diagnostic
  ) -> String {
    let index = values.fields.indices.first { index in
      Self.problem(Mount(Array(values.fields[...index])))?.message == problem.message
    }
    guard let index else { return "--mount=" }
    let field = mount.fields[index]
    return field.value.map { "\(field.key)=\($0.raw)" } ?? field.key
  }

  private static func problem(_ mount: Mount) -> Diagnostic? {
    do {
      _ = try MountSpecification(mount, at: nil) { $0.raw }
      return nil
    } catch {
      return error
    }
  }
}
