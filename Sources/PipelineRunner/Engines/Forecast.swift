import PipelineDSL

/// What a build would do, found out without doing it.
struct Forecast {
  let plan: Plan
  let store: Store
  let request: BuildRequest

  /// A line for each operation: where it stands, and `cached`, or `runs` and why.
  func lines() async throws -> [String] {
    let solver = Solver(
      plan: plan, store: store, inputs: request.inputs,
      options: SolveOptions(
        usesCache: request.usesCache, sourceDateEpoch: request.options.sourceDateEpoch),
      memo: nil, progress: QuietProgress())
    var running: [OperationID: Operation] = [:]
    var lines: [String] = []
    for operation in plan.operations {
      let outcome = try await outcome(of: operation, solver, running: &running)
      lines.append("\(outcome)  \(StepText.line(operation))")
    }
    for stage in plan.skipped { lines.append("skipped  \(StepText.line(stage))") }
    return lines
  }

  private func outcome(
    of operation: Operation, _ solver: Solver, running: inout [OperationID: Operation]
  ) async throws -> String {
    if case .image = operation.action {
      let layers = plan.bases[operation.id]?.layers.map { LayerID($0.diffID) } ?? []
      solver.assume(
        OperationResult(layers: layers, own: nil, created: nil, status: .cached, seconds: 0),
        for: operation.id)
      return "base  "
    }
    // What a step that has yet to run will leave behind is not known.
    if let cause = operation.dependencies.compactMap({ running[$0] }).first {
      running[operation.id] = operation
      return "runs, if \(StepText.name(cause)) changes what it reads"
    }
    if case .fetch = operation.action {
      running[operation.id] = operation
      return "asks the server"
    }
    if case .verify(let verify) = operation.action {
      solver.assume(
        OperationResult(
          layers: solver.layers(of: verify.root), own: nil, created: nil, status: .cached,
          seconds: 0), for: operation.id)
      return "check "
    }
    let (record, reason) = try await solver.forecast(operation)
    guard let record else {
      running[operation.id] = operation
      return "runs (\(reason ?? "never built here"))"
    }
    solver.assume(
      OperationResult(
        layers: solver.layers(of: operation.parent) + (record.layer.map { [$0] } ?? []),
        own: record.layer, created: record.created, status: .cached, seconds: 0),
      for: operation.id)
    return "cached"
  }
}
