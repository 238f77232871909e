import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Runs a plan: every operation whose inputs are ready at once, each key at most once.
///
/// The first failure cancels what runs and nothing more is started.
final class Solver: Sendable {
  let plan: Plan
  let store: Store
  let inputs: BuildInputs
  let options: SolveOptions
  let progress: any ProgressRenderer
  let bases: BaseLayers
  let memo: ContextMemo?
  /// What other machines did before.
  let imported: ImportedCache?

  let leftovers: Leftovers

  /// Set once a shell was opened: others that fail meanwhile get none.
  let hasOpenedShell = Mutex(false)

  private let results = Mutex<[OperationID: OperationResult]>([:])
  private let starts = Mutex<[OperationID: ContinuousClock.Instant]>([:])
  /// Whether a layer holds anything; every step asks for all that lie below it.
  private let emptiness = Mutex<[LayerID: Bool]>([:])

  init(
    plan: Plan, store: Store, inputs: BuildInputs, options: SolveOptions, memo: ContextMemo?,
    progress: any ProgressRenderer, imported: ImportedCache? = nil
  ) {
    self.plan = plan
    self.store = store
    self.inputs = inputs
    self.options = options
    self.memo = memo
    self.progress = progress
    self.imported = imported
    leftovers = Leftovers(store)
    bases = BaseLayers(
      store: store, images: plan.bases, imported: imported, epoch: options.sourceDateEpoch,
      progress: progress)
  }

  /// The result of an operation that is done.
  subscript(id: OperationID) -> OperationResult? { results.withLock { $0[id] } }

  /// Does everything the plan holds.
  ///
  /// - Throws: the first failure, as a diagnostic at its step.
  func solve() async throws {
    do {
      try await performAll()
    } catch {
      await leftovers.wait()
      throw error
    }
    await leftovers.wait()
  }

  private func performAll() async throws {
    progress.handle(.planned(plan.operations))
    for stage in plan.skipped { progress.handle(.skipped(stage)) }
    var waiting: [OperationID: Int] = [:]
    var dependents: [OperationID: [OperationID]] = [:]
    var ready: [OperationID] = []
    for operation in plan.operations {
      let dependencies = operation.dependencies
      waiting[operation.id] = dependencies.count
      for dependency in dependencies { dependents[dependency, default: []].append(operation.id) }
      if dependencies.isEmpty { ready.append(operation.id) }
    }
    ready.reverse()
    try await withThrowingTaskGroup(of: OperationID.self) { group in
      var running = 0
      while true {
        while running < options.parallelism, let id = ready.popLast() {
          group.addTask { try await self.perform(self.plan[id]) }
          running += 1
        }
        guard let done = try await group.next() else { return }
        running -= 1
        for dependent in (dependents[done] ?? []).reversed() {
          let left = (waiting[dependent] ?? 0) - 1
          waiting[dependent] = left
          if left == 0 { ready.append(dependent) }
        }
      }
    }
  }

  private func perform(_ operation: Operation) async throws -> OperationID {
    let start = ContinuousClock.now
    do {
      try Task.checkCancellation()
      var result = try await self.result(of: operation)
      result.seconds = seconds(of: operation, since: start)
      results.withLock { $0[operation.id] = result }
      progress.handle(.finished(operation.id, result.status, seconds: result.seconds))
      return operation.id
    } catch {
      let isCancelled = Task.isCancelled || error is CancellationError
      progress.handle(
        .finished(
          operation.id, isCancelled ? .cancelled : .failed,
          seconds: seconds(of: operation, since: start)))
      throw isCancelled ? CancellationError() : Self.located(error, operation)
    }
  }

  /// Says that an operation runs from now on.
  func begin(_ operation: Operation) {
    starts.withLock { $0[operation.id] = .now }
    progress.handle(.started(operation.id))
  }

  /// How long an operation took, without what it waited for where it ran.
  private func seconds(of operation: Operation, since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - (starts.withLock { $0[operation.id] } ?? start)).seconds
  }

  /// An error as a diagnostic that says which step it was.
  private static func located(_ error: any Error, _ operation: Operation) -> any Error {
    if var diagnostic = error as? Diagnostic {
      if diagnostic.location == nil { diagnostic.location = operation.location }
      return diagnostic
    }
    if let error = error as? SystemError {
      return error.diagnostic("[\(operation.stage)] \(operation.title)", at: operation.location)
    }
    return error
  }

  private func result(of operation: Operation) async throws -> OperationResult {
    switch operation.action {
    case .image:
      let layers = plan.bases[operation.id]?.layers.map { LayerID($0.diffID) } ?? []
      return OperationResult(layers: layers, own: nil, created: nil, status: .cached, seconds: 0)
    case .verify(let verify):
      try await check(verify, operation)
      return OperationResult(
        layers: layers(of: verify.root), names: names(of: verify.root), own: nil, created: nil,
        status: .cached, seconds: 0)
    case .fetch(let source): return try await fetch(source, operation)
    case .run, .copy, .makeDirectory: return try await layered(operation)
    }
  }

  // MARK: - Layers

  /// An operation that makes a layer: from the cache where its key is known, by doing it otherwise.
  private func layered(_ operation: Operation) async throws -> OperationResult {
    let parent = operation.parent
    let quick = try await keys.quick(operation)
    if let record = try recall(quick) { return cached(record, over: parent, quick) }
    let exact = try await keys.exact(operation, quick: quick)
    if exact != quick, let record = try recall(exact) {
      return try cachedExactly(record, over: parent, quick, exact)
    }
    let claim = try await store.claim(exact.digest)
    defer { withExtendedLifetime(claim) {} }
    // Another process may have done it while this one waited.
    if let record = try recall(exact) {
      return try cachedExactly(record, over: parent, quick, exact)
    }
    let reason = try reasonForMiss(exact, operation)
    if options.failsOnMiss {
      throw Diagnostic(
        "the cache does not serve this step: \(reason ?? "never built here")",
        at: operation.location, help: "--fail-on-miss was given; build without it first")
    }
    // The time that a base image takes to arrive is not the step's.
    try await bases.ensure(layers(of: parent))
    begin(operation)
    let clock = ContinuousClock()
    let start = clock.now
    let layer = try await execute(operation)
    let seconds = (clock.now - start).seconds
    let record = Record(
      layer: layer, created: time(nil), seconds: seconds, parts: exact.parts, reason: reason)
    try store.setRecord(record, for: exact.digest)
    if exact != quick { try store.setRecord(record.pointing(to: exact), for: quick.digest) }
    try store.setRecord(record, for: siteKey(operation))
    return OperationResult(
      layers: layers(of: parent) + [layer], names: names(of: parent) + [layer], own: layer,
      created: record.created, status: .ran(because: reason), seconds: 0,
      keys: [quick.digest, exact.digest])
  }

  /// A result that was found by content, remembered under the quick key too.
  private func cachedExactly(
    _ record: Record, over parent: TreeReference, _ quick: CacheKey, _ exact: CacheKey
  ) throws -> OperationResult {
    if exact != quick { try store.setRecord(record.pointing(to: exact), for: quick.digest) }
    return cached(record, over: parent, quick, exact)
  }

  func cached(
    _ record: Record, over parent: TreeReference, _ keys: CacheKey...
  ) -> OperationResult {
    let name = record.content ?? record.layer
    return OperationResult(
      layers: layers(of: parent) + (record.layer.map { [$0] } ?? []),
      names: names(of: parent) + (name.map { [$0] } ?? []), own: record.layer,
      created: record.created, status: .cached, seconds: 0, keys: keys.map(\.digest))
  }

  /// What a key led to, here or where a cache was imported from.
  func recall(_ key: CacheKey) throws -> Record? {
    guard options.usesCache else { return nil }
    if let record = try store.record(for: key.digest), try isUsable(record) { return record }
    guard let record = imported?.record(for: key.digest), try isUsable(record) else { return nil }
    try store.setRecord(record, for: key.digest)
    return record
  }

  private func isUsable(_ record: Record) throws -> Bool {
    try record.isUsable(withEpoch: options.sourceDateEpoch) && isAtHand(record.layer)
  }

  private func isAtHand(_ layer: LayerID?) throws -> Bool {
    guard let layer else { return false }
    return try store.verify(layer) || imported?[layer] != nil
  }

  /// Whether a step may be served, as far as that is known before its inputs are: it ran here, or
  /// caches of other machines are read.
  func mayBeCached(_ operation: Operation) throws -> Bool {
    guard options.usesCache else { return false }
    return try imported != nil || store.record(for: siteKey(operation)) != nil
  }

  var keys: OperationKeys { OperationKeys(solver: self) }

  /// Names a step by where it stands, so that its earlier results can be found.
  func siteKey(_ operation: Operation) -> Digest {
    var key = CacheKey("site")
    key.add("stage", operation.stage)
    key.add("file", operation.location?.file ?? "")
    key.add("number", "\(operation.number)")
    return key.digest
  }

  /// What would happen to an operation whose inputs are all cached: a hit, or the reason why not.
  func forecast(_ operation: Operation) async throws -> (record: Record?, reason: String?) {
    let quick = try await keys.quick(operation)
    if let record = try recall(quick) { return (record, nil) }
    let exact = try await keys.exact(operation, quick: quick)
    if let record = try recall(exact) { return (record, nil) }
    return (nil, try reasonForMiss(exact, operation))
  }

  /// Sets a result without running, for ``forecast(_:)`` of later operations.
  func assume(_ result: OperationResult, for id: OperationID) {
    results.withLock { $0[id] = result }
  }

  // MARK: - Trees

  /// The layers of a tree whose operation is done.
  func layers(of tree: TreeReference) -> [LayerID] {
    guard case .operation(let id) = tree else { return [] }
    return self[id]?.layers ?? []
  }

  /// What keys call the layers of a tree whose operation is done.
  func names(of tree: TreeReference) -> [LayerID] {
    guard case .operation(let id) = tree else { return [] }
    return self[id]?.names ?? []
  }

  /// A tree as directories, with base layers unpacked that nobody needed before.
  func rootTree(_ tree: TreeReference) async throws -> RootTree {
    var directories: [FilePath] = []
    let layers = layers(of: tree)
    try await bases.ensure(layers)
    for layer in layers {
      // overlayfs takes 500 layers; those that change nothing need not be among them.
      if try isEmpty(layer) { continue }
      directories.append(store.directory(of: layer))
    }
    return RootTree(directories)
  }

  private func isEmpty(_ layer: LayerID) throws -> Bool {
    if let known = emptiness.withLock({ $0[layer] }) { return known }
    guard let info = try store.info(of: layer) else { return false }
    emptiness.withLock { $0[layer] = info.entries == 0 }
    return info.entries == 0
  }
}

/// How a plan is to be solved.
struct SolveOptions: Sendable {
  var usesCache = true
  var sourceDateEpoch: Int?
  /// Ends the build at the first step that would run.
  var failsOnMiss = false
  /// What each command may use.
  var limits = ResourceLimits()
  /// Whether a person gets a shell where a command failed.
  var opensShellOnFailure = false
  /// How many operations run at once.
  ///
  /// Commands often wait for a network, so more than cores.
  var parallelism = max(8, 4 * Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

extension Operation {
  /// The tree that the operation's own layer lies on.
  var parent: TreeReference {
    switch action {
    case .image, .fetch: .scratch
    case .run(let run): run.root
    case .copy(let copy): copy.parent
    case .makeDirectory(let directory): directory.root
    case .verify(let verify): verify.root
    }
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
