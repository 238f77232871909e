import PipelineDSL

extension Planner {
  /// Refuses what BuildKit refuses in any stage, whether the target needs the stage or not.
  static func checkAllStages(_ graph: StageGraph, _ options: BuildOptions) throws {
    for (index, stage) in graph.stages.enumerated() {
      for step in stage.steps {
        if case .healthcheck(let check) = step.instruction {
          _ = try healthcheck(check, at: step.location)
        }
        for from in references(in: step.instruction)
        where !options.contextNames.contains(from.text) {
          // A name may be that of a later stage as long as nobody needs this one (S4).
          let isNumber = from.allowsIndex && Int(from.text) != nil
          guard isNumber || from.text.lowercased() == stage.name else { continue }
          _ = try graph.stageIndex(
            from: from.text, at: index, allowsIndex: from.allowsIndex, location: step.location)
        }
      }
    }
  }

  private static func references(
    in instruction: Instruction
  ) -> [(text: String, allowsIndex: Bool)] {
    switch instruction {
    case .copy(let copy): copy.from.map { [($0, true)] } ?? []
    case .run(let run): run.mounts.compactMap(\.from).map { ($0, false) }
    default: []
    }
  }
}
