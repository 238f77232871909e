import PipelineDSL

/// Turns a graph into the operations its target needs.
///
/// Only stages reachable from the target are looked at (S5). Declaring never executes, and neither
/// does this: a base image is asked for its config, nothing is unpacked.
struct Planner {
  let graph: StageGraph
  let options: BuildOptions
  let resolver: any BaseResolver

  var operations: [Operation] = []
  var warnings: [Diagnostic] = []
  var bases: [OperationID: ResolvedImage] = [:]

  /// Finds an action that is planned already, so that equal ones run once.
  private var known: [Action: OperationID] = [:]
  private var finished: [Int: StageState] = [:]
  /// Stages being planned, outermost first, to tell a cycle.
  private var open: [Int] = []
  var globals: VariableList
  private let targetName: String

  /// Plans a whole build.
  ///
  /// - Throws: diagnostics that point at the step at fault.
  static func plan(
    _ graph: StageGraph, options: BuildOptions, resolver: any BaseResolver
  ) async throws -> Plan {
    try checkAllStages(graph, options)
    let target = try graph.targetStage(named: options.target)
    var planner = try Planner(graph, target: target, options: options, resolver: resolver)
    var state = try await planner.stage(target)
    return planner.finish(&state)
  }

  private init(
    _ graph: StageGraph, target: Int, options: BuildOptions, resolver: any BaseResolver
  ) throws {
    self.graph = graph
    self.options = options
    self.resolver = resolver
    // As the user wrote it: stage names are matched in any case (S7).
    targetName = options.target ?? graph.stages[target].name ?? "default"
    globals = Self.automaticArguments(options, targetName: targetName)
    try readGlobals()
  }

  // MARK: - Global arguments

  private static func automaticArguments(_ options: BuildOptions, targetName: String)
    -> VariableList
  {
    var list = VariableList()
    for (prefix, platform) in [("BUILD", options.buildPlatform), ("TARGET", options.platform)] {
      list.set("\(prefix)PLATFORM", "\(platform)")
      list.set("\(prefix)OS", platform.os)
      list.set("\(prefix)OSVERSION", "")
      list.set("\(prefix)ARCH", platform.architecture)
      list.set("\(prefix)VARIANT", platform.variant ?? "")
    }
    list.set("TARGETSTAGE", targetName)
    for variable in list.all {
      if let given = options.buildArguments[variable.name] { list.set(variable.name, given) }
    }
    return list
  }

  private mutating func readGlobals() throws {
    for step in graph.globals {
      guard case .argument(let declarations) = step.instruction else { continue }
      for declaration in declarations {
        if let given = options.buildArguments[declaration.name] {
          globals.set(declaration.name, given)
        } else if let word = declaration.defaultValue {
          globals.set(declaration.name, try expand(word, in: globals, at: step.location))
        }
      }
    }
  }

  // MARK: - Stages

  /// The state a stage ends with; planned at its first use.
  mutating func stage(_ index: Int) async throws -> StageState {
    if let state = finished[index] { return state }
    let stage = graph.stages[index]
    if open.contains(index) {
      throw Diagnostic(
        "stage '\(name(of: index))' depends on itself", at: stage.location,
        notes: open.map {
          Diagnostic.Note("by way of '\(name(of: $0))'", at: graph.stages[$0].location)
        })
    }
    open.append(index)
    defer { open.removeLast() }
    var state = try await start(stage, index)
    let triggers = state.execution.onBuild ?? []
    state.execution.onBuild = nil
    for trigger in triggers {
      let instruction = try DockerfileParser.parseTrigger(trigger, at: stage.location)
      let step = StageGraph.Step(instruction, at: stage.location)
      try await take(step, of: index, escape: "\\", into: &state)
    }
    for step in stage.steps {
      try await take(step, of: index, escape: graph.directives.escape, into: &state)
    }
    if !stage.artifacts.isEmpty {
      let action = VerifyAction(root: state.root, artifacts: stage.artifacts)
      _ = add(
        .verify(action), title: "artifacts of '\(state.name)'", at: stage.location, to: &state)
    }
    for id in state.operations { operations[id.index].count = state.operations.count }
    finished[index] = state
    return state
  }

  func name(of index: Int) -> String {
    graph.stages[index].name ?? (graph.stages.count == 1 ? "image" : "stage-\(index)")
  }

  private mutating func start(_ stage: StageGraph.Stage, _ index: Int) async throws -> StageState {
    let reference = try expand(stage.base, in: globals, at: stage.location)
    guard !reference.isEmpty else {
      throw Diagnostic(
        "base name (\(stage.base.raw)) should not be blank", at: stage.location,
        help: "give the argument a default before the first FROM, or --build-arg")
    }
    var platform = options.platform
    if let word = stage.platform {
      let text = try expand(word, in: globals, at: stage.location)
      guard !text.isEmpty else {
        throw Diagnostic(
          "empty platform value from expression '\(word.raw)'", at: stage.location,
          help: "give the argument a default before the first FROM, or --build-arg")
      }
      platform = try Platform(parsing: text, at: stage.location)
    }
    if !options.contextNames.contains(reference),
      let parent = graph.stageIndex(named: reference, before: index)
    {
      return try await inherit(parent, as: index)
    }
    return try await base(reference, platform: platform, for: stage, index)
  }

  private mutating func inherit(_ parent: Int, as index: Int) async throws -> StageState {
    var state = try await stage(parent)
    state.name = name(of: index)
    state.setsCommand = false
    state.operations = []
    return state
  }

  private mutating func base(
    _ reference: String, platform: Platform, for stage: StageGraph.Stage, _ index: Int
  ) async throws -> StageState {
    guard reference != "scratch" || options.contextNames.contains(reference) else {
      // The platform of a stage from scratch is where its commands run, not what is asked for (S9).
      let target = options.platform
      let configuration = ImageConfiguration(
        architecture: target.architecture, variant: target.variant, os: target.os,
        rootfs: .init(diffIDs: []))
      return begin(index, root: .scratch, configuration, platform: platform, workingDirectory: "/")
    }
    let (id, image) = try await image(reference, platform: platform, at: stage.location)
    warnAboutPlatform(reference, of: image.configuration, wanted: platform, stage)
    var state = begin(
      index, root: .operation(id), image.configuration, platform: platform, workingDirectory: nil)
    state.history = (image.configuration.history ?? []).map {
      PlannedHistory(entry: $0, operation: nil, isInherited: true)
    }
    adopt(id, into: &state, title: "FROM \(reference)", at: stage.location)
    return state
  }

  /// Tells of a base that is for another platform: that it builds may be luck, or emulation.
  private mutating func warnAboutPlatform(
    _ reference: String, of configuration: ImageConfiguration, wanted: Platform,
    _ stage: StageGraph.Stage
  ) {
    let found = Platform(os: configuration.os, architecture: configuration.architecture)
    guard !found.architecture.isEmpty,
      found.os != wanted.os || found.architecture != wanted.architecture
    else { return }
    let id = "InvalidBaseImagePlatform"
    let rules = graph.directives.check.flatMap { try? CheckConfiguration($0) }
    guard rules?.enables(id, isExperimental: false) ?? true else { return }
    warnings.append(
      Diagnostic(
        "the base image '\(reference)' is for \(found), and \(wanted) is built", severity: .warning,
        id: id, at: stage.location, help: "choose an image for \(wanted), or --platform \(found)"))
  }

  /// The operation that provides an image, and what the image says of itself.
  mutating func image(
    _ reference: String, platform: Platform, at location: SourceLocation?
  ) async throws -> (id: OperationID, image: ResolvedImage) {
    let image = try await resolver.resolve(reference, platform: platform, at: location)
    let action = ImageAction(reference: reference, platform: platform, digest: image.digest)
    let id = insert(.image(action), stage: reference, title: "FROM \(reference)", at: location)
    bases[id] = image
    return (id, image)
  }

  private func begin(
    _ index: Int, root: TreeReference, _ configuration: ImageConfiguration, platform: Platform,
    workingDirectory: String?
  ) -> StageState {
    var execution = configuration.config ?? .init()
    if let workingDirectory { execution.workingDirectory = workingDirectory }
    var list = execution.environment ?? []
    if !list.contains(where: { $0.hasPrefix("PATH=") }) {
      list.append("PATH=\(Self.defaultPath)")
    }
    execution.environment = list
    var cleared = configuration
    cleared.created = nil
    // An image says itself what it is for; one that does not is for what was asked (S9).
    if cleared.architecture.isEmpty {
      cleared.architecture = platform.architecture
      cleared.variant = platform.variant
      cleared.os = platform.os
    }
    return StageState(
      name: name(of: index), root: root, platform: platform, configuration: cleared,
      execution: execution, environment: VariableList(list))
  }

  /// The PATH every stage has that brings none (S11).
  static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  // MARK: - Operations

  /// Adds an action to a stage unless an equal one is there, and returns its operation.
  mutating func add(
    _ action: Action, title: String, at location: SourceLocation?, to state: inout StageState
  ) -> OperationID {
    let id = insert(action, stage: state.name, title: title, at: location)
    adopt(id, into: &state, title: title, at: location)
    return id
  }

  private mutating func adopt(
    _ id: OperationID, into state: inout StageState, title: String, at location: SourceLocation?
  ) {
    state.operations.append(id)
    if operations[id.index].number == 0 {
      operations[id.index].stage = state.name
      operations[id.index].number = state.operations.count
      operations[id.index].title = title
      operations[id.index].location = location
    }
  }

  mutating func insert(
    _ action: Action, stage: String, title: String, at location: SourceLocation?
  ) -> OperationID {
    if let id = known[action] { return id }
    let id = OperationID(index: operations.count)
    known[action] = id
    operations.append(
      Operation(
        id: id, action: action, stage: stage, number: 0, count: 0, title: title, location: location
      ))
    return id
  }

  // MARK: - Expansion

  func expand(
    _ word: Word, in environment: VariableList, escape: Unicode.Scalar? = nil,
    at location: SourceLocation?
  ) throws(Diagnostic) -> String {
    let expansion = WordExpansion(escape: escape ?? graph.directives.escape) { environment[$0] }
    return try Self.located(location) { () throws(Diagnostic) in try expansion.expand(word) }
  }

  func expandToList(
    _ word: Word, in environment: VariableList, escape: Unicode.Scalar, at location: SourceLocation?
  ) throws(Diagnostic) -> [String] {
    let expansion = WordExpansion(escape: escape) { environment[$0] }
    return try Self.located(location) { () throws(Diagnostic) in try expansion.expandToList(word) }
  }

  /// Gives a diagnostic that has no place the one of its step.
  static func located<Value>(
    _ location: SourceLocation?, _ body: () throws(Diagnostic) -> Value
  ) throws(Diagnostic) -> Value {
    do {
      return try body()
    } catch {
      var diagnostic = error
      if diagnostic.location == nil { diagnostic.location = location }
      throw diagnostic
    }
  }

  // MARK: - The end

  private mutating func finish(_ state: inout StageState) -> Plan {
    for (name, value) in options.labels {
      state.execution.labels = (state.execution.labels ?? [:]).merging([name: value]) { $1 }
    }
    var configuration = state.configuration
    configuration.config = state.execution
    configuration.history = nil
    let image = PlannedImage(
      root: state.root, configuration: configuration, history: state.history,
      platform: state.platform)
    let stages = finished.sorted { $0.key < $1.key }.map {
      PlannedStage(name: $0.value.name, root: $0.value.root)
    }
    let skipped = graph.stages.indices.filter { finished[$0] == nil }.map {
      SkippedStage(name: name(of: $0), location: graph.stages[$0].location)
    }
    return Plan(
      operations: operations, image: image, stages: stages, skipped: skipped, bases: bases,
      warnings: warnings)
  }
}
