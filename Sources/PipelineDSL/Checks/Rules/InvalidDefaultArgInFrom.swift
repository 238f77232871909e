/// A FROM should name an image even where no build argument is given.
struct InvalidDefaultArgInFrom: CheckRule {
  let id = "InvalidDefaultArgInFrom"
  let summary = "The defaults of global arguments should give FROM a valid image name"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let escape = input.graph.directives.escape
    let globals = input.relations.globals
    return input.graph.stages.compactMap { stage in
      let names = WordExpansion.names(in: stage.base, escape: escape)
      guard !names.isEmpty, names.allSatisfy(globals.declares),
        names.allSatisfy({ !StageRelations.automaticNames.contains($0) })
      else { return nil }
      let expansion = WordExpansion(escape: escape) { globals.values[$0].flatMap(\.self) }
      guard let value = try? expansion.expand(stage.base), let problem = Self.problem(value) else {
        return nil
      }
      return finding(
        "the default of '\(stage.base.raw)' is an empty or invalid image name: \(problem)",
        at: input.place(of: stage.base.raw, in: stage.location),
        help: "give the ARG a default, or write '${\(names[0]):-default}' here")
    }
  }

  private static func problem(_ value: String) -> String? {
    if value.isEmpty { return "it is empty" }
    return value == "scratch" ? nil : ImageReference(stringLiteral: value).problem
  }
}
