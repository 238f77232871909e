/// A variable that nothing sets is empty, without a word.
///
/// Images bring variables of their own, which cannot be known here. So in a stage from an image a
/// variable is reported only where the file itself explains it: it is declared elsewhere, or looks
/// like one that is declared.
struct UndefinedVar: CheckRule {
  let id = "UndefinedVar"
  let summary = "Variables should be defined before their use"

  func check(_ input: CheckInput) -> [Diagnostic] {
    let declarations = Declarations(input)
    var found: [Diagnostic] = []
    input.walk { placed, variables in
      var seen: Set<String> = []
      let escape = input.graph.directives.escape
      for reference in placed.step.instruction.variableReferences(escape: escape)
      where !reference.isGuarded && !variables.declares(reference.name)
        && reference.name.first?.isLetterOrUnderscore == true
        && seen.insert(reference.name).inserted
      {
        guard let reason = declarations.reason(reference.name, placed, variables) else { continue }
        found.append(
          finding(
            "usage of undefined variable '$\(reference.name)'",
            at: input.place(ofVariable: reference.name, in: placed.location),
            notes: reason.notes, help: reason.help))
      }
    }
    return found
  }

  /// Where the file declares what.
  private struct Declarations {
    private let globals: StageVariables
    private let bases: [String]
    private var places: [String: [(stage: Int, index: Int, location: SourceLocation?)]] = [:]

    init(_ input: CheckInput) {
      globals = input.relations.globals
      bases = input.graph.stages.indices.map { stage in
        let root = input.relations.lineage(of: stage).last ?? stage
        return input.relations.bases[root] ?? input.graph.stages[root].base.raw
      }
      for placed in input.steps {
        for name in placed.step.instruction.declaredNames {
          places[name, default: []].append((placed.stage, placed.index, placed.location))
        }
      }
    }

    /// Why a variable is undefined; nil where the base image may define it.
    func reason(
      _ name: String, _ placed: CheckInput.PlacedStep, _ variables: StageVariables
    ) -> (notes: [Diagnostic.Note], help: String)? {
      guard variables.isComplete || !Self.mayCome(name, from: bases[placed.stage]) else {
        return nil
      }
      if globals.declares(name) {
        return ([], "an ARG above the first FROM is for FROM only: add 'ARG \(name)' to this stage")
      }
      if let near = Self.near(name, among: variables.names) {
        return ([], "did you mean '$\(near)'?")
      }
      if let place = places[name]?.first {
        let note = Diagnostic.Note("'\(name)' is declared here", at: place.location)
        if place.stage == placed.stage, place.index == placed.index {
          return (
            [],
            "all of an instruction sees the variables as they were before it: use two instructions"
          )
        }
        if place.stage == placed.stage {
          return ([note], "declare it before it is used")
        }
        return ([note], "a stage sees its own variables and those of the stage it is built from")
      }
      guard variables.isComplete else { return nil }
      return ([], "declare it with ARG or ENV, or write '${\(name):-}' if it may be unset")
    }

    /// Whether images tend to set a variable, such as `NODE_VERSION` that of `node`.
    private static func mayCome(_ name: String, from base: String) -> Bool {
      if ["HOME", "HOSTNAME", "USER", "LANG", "LC_ALL", "TERM", "PWD", "SHELL"].contains(name) {
        return true
      }
      let topic = name.lowercased().prefix { $0 != "_" }
      return topic.count < name.count && base.lowercased().contains(topic)
    }

    /// A declared name that a typing mistake makes of this one; numbers are no mistakes.
    private static func near(_ name: String, among names: [String]) -> String? {
      guard name.count >= 4 else { return nil }
      let limit = name.count < 8 ? 1 : 2
      let candidates = names.filter { other in
        other.filter { !$0.isNumber } != name.filter { !$0.isNumber }
      }
      return EditDistance.nearest(to: name, among: candidates, within: limit)
    }
  }
}

extension Instruction {
  /// The variables that the instruction declares for what follows it.
  var declaredNames: [String] {
    switch self {
    case .argument(let declarations): declarations.map(\.name)
    case .environment(let assignments): assignments.all.map(\.name.raw)
    default: []
    }
  }

  /// The variables that the builder puts into the instruction (V6, V9).
  func variableReferences(escape: Unicode.Scalar) -> [WordExpansion.Reference] {
    words.flatMap { WordExpansion.references(in: $0, escape: escape) }
      + heredocs.filter(\.expands).flatMap { WordExpansion.references(inHeredoc: $0.body) }
  }

  /// The here-documents that become files.
  private var heredocs: [Heredoc] {
    switch self {
    case .add(let add): add.sources.heredocs
    case .copy(let copy): copy.sources.heredocs
    default: []
    }
  }
}

extension [CopySource] {
  fileprivate var heredocs: [Heredoc] {
    compactMap { source in
      guard case .heredoc(let heredoc) = source else { return nil }
      return heredoc
    }
  }
}
