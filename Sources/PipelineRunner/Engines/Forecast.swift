import PipelineDSL

/// What a build would do, found out without doing it.
struct Forecast {
  /// What would become of one operation.
  enum Outcome: Sendable {
    /// A base image, which is only read.
    case base
    /// A promise that is looked at.
    case check
    /// What the server says decides.
    case asksServer
    case cached(Record)
    /// It runs, and why; nil where it was never done here.
    case runs(because: String?)
    /// It runs if another step, which runs, changes what it reads.
    case inherits(Operation)

    var text: String {
      switch self {
      case .base: "base  "
      case .check: "check "
      case .asksServer: "asks the server"
      case .cached: "cached"
      case .runs(let reason): "runs (\(reason ?? "never built here"))"
      case .inherits(let cause): "runs, if \(StepText.name(cause)) changes what it reads"
      }
    }
  }

  struct Step: Sendable {
    var operation: Operation
    var outcome: Outcome
  }

  let plan: Plan
  let store: Store
  let request: BuildRequest

  /// A line for each operation: where it stands, and `cached`, or `runs` and why.
  func lines() async throws -> [String] {
    try await steps().map { "\($0.outcome.text)  \(StepText.line($0.operation))" }
      + plan.skipped.map { "skipped  \(StepText.line($0))" }
  }

  /// Every operation in the order of the plan.
  func steps() async throws -> [Step] {
    let solver = Solver(
      plan: plan, store: store, inputs: request.inputs,
      options: SolveOptions(
        usesCache: request.usesCache, sourceDateEpoch: request.options.sourceDateEpoch),
      memo: nil, progress: QuietProgress())
    var running: [OperationID: Operation] = [:]
    var steps: [Step] = []
    for operation in plan.operations {
      let outcome = try await outcome(of: operation, solver, running)
      switch outcome {
      case .runs, .inherits, .asksServer: running[operation.id] = operation
      case .base, .check, .cached: break
      }
      steps.append(Step(operation: operation, outcome: outcome))
    }
    return steps
  }

  private func outcome(
    of operation: Operation, _ solver: Solver, _ running: [OperationID: Operation]
  ) async throws -> Outcome {
    func assume(_ layers: [LayerID], names: [LayerID]? = nil) {
      solver.assume(
        OperationResult(
          layers: layers, names: names, own: nil, created: nil, status: .cached, seconds: 0),
        for: operation.id)
    }
    if case .image = operation.action {
      assume(plan.bases[operation.id]?.layers.map { LayerID($0.diffID) } ?? [])
      return .base
    }
    // What a step that has yet to run will leave behind is not known.
    if let cause = operation.dependencies.compactMap({ running[$0] }).first {
      return .inherits(cause)
    }
    if case .fetch = operation.action { return .asksServer }
    if case .verify(let verify) = operation.action {
      assume(solver.layers(of: verify.root), names: solver.names(of: verify.root))
      return .check
    }
    let (record, reason) = try await solver.forecast(operation)
    guard let record else { return .runs(because: reason) }
    solver.assume(solver.cached(record, over: operation.parent), for: operation.id)
    return .cached(record)
  }
}
