import PipelineDSL

extension Planner {
  /// Takes one instruction into a stage.
  mutating func take(
    _ step: StageGraph.Step, of index: Int, escape: Unicode.Scalar, into state: inout StageState
  ) async throws {
    let scope = StepScope(stage: index, escape: escape, location: step.location)
    switch step.instruction {
    case .add(let add): try await take(add, scope, &state)
    case .argument(let declarations): try take(declarations, scope, &state)
    case .command(let command):
      state.execution.command = state.arguments(of: command)
      state.execution.argsEscaped = true
      state.setsCommand = true
      state.note("CMD \(GoText.quotedList(state.arguments(of: command)))")
    case .copy(let copy): try await take(copy, scope, &state)
    case .entrypoint(let command):
      let arguments = state.arguments(of: command)
      state.execution.entrypoint = command == .exec([]) ? nil : arguments
      if !state.setsCommand { state.execution.command = nil }
      state.note("ENTRYPOINT \(GoText.quotedList(arguments))")
    case .environment(let assignments): try take(environment: assignments, scope, &state)
    case .expose(let words): try take(expose: words, scope, &state)
    case .healthcheck(let check): try take(check, at: step.location, &state)
    case .label(let assignments): try take(labels: assignments, scope, &state)
    case .maintainer(let text):
      state.configuration.author = text
      state.note("MAINTAINER \(text)")
    case .onBuild(let trigger):
      state.execution.onBuild = (state.execution.onBuild ?? []) + [trigger.text]
    case .run(let run): try await take(run, scope, &state)
    case .shell(let words):
      state.execution.shell = words
      state.note("SHELL \(GoText.list(words))")
    case .stopSignal(let word): try take(stopSignal: word, scope, &state)
    case .user(let word):
      let user = try expand(word, scope, state)
      state.execution.user = user
      state.note("USER \(user)")
    case .volume(let words): try take(volumes: words, scope, &state)
    case .workingDirectory(let word): try take(workingDirectory: word, scope, &state)
    }
  }

  func expand(_ word: Word, _ scope: StepScope, _ state: StageState) throws(Diagnostic) -> String {
    try expand(word, in: state.environment, escape: scope.escape, at: scope.location)
  }

  // MARK: - Variables

  private mutating func take(
    _ declarations: [ArgumentDeclaration], _ scope: StepScope, _ state: inout StageState
  ) throws {
    var shown: [String] = []
    for declaration in declarations {
      var value: String?
      if let given = options.buildArguments[declaration.name] {
        value = given
      } else if let word = declaration.defaultValue {
        value = try expand(word, scope, state)
      } else {
        value = globals[declaration.name]
      }
      if let value { state.environment.set(declaration.name, value) }
      state.arguments.append((declaration.name, value))
      shown.append(value.map { "\(declaration.name)=\($0)" } ?? declaration.name)
    }
    state.note("ARG \(shown.joined(separator: " "))")
  }

  /// All words of one `ENV` see the environment as it was before it (V8).
  private func take(
    environment assignments: Assignments, _ scope: StepScope, _ state: inout StageState
  ) throws {
    let before = state
    var shown: [String] = []
    for assignment in assignments.all {
      let name = try expand(assignment.name, scope, before)
      let value = try expand(assignment.value, scope, before)
      state.environment.set(name, value)
      var list = state.execution.environment ?? []
      if let index = list.firstIndex(where: { $0.splitAtEqualsSign.name == name }) {
        list[index] = "\(name)=\(value)"
      } else {
        list.append("\(name)=\(value)")
      }
      state.execution.environment = list
      shown.append("\(name)=\(value)")
    }
    state.note("ENV \(shown.joined(separator: " "))")
  }

  private func take(
    labels assignments: Assignments, _ scope: StepScope, _ state: inout StageState
  ) throws {
    var shown: [String] = []
    var labels = state.execution.labels ?? [:]
    for assignment in assignments.all {
      let name = try expand(assignment.name, scope, state)
      let value = try expand(assignment.value, scope, state)
      labels[name] = value
      shown.append("\(name)=\(value)")
    }
    state.execution.labels = labels
    state.note("LABEL \(shown.joined(separator: " "))")
  }

  // MARK: - Metadata

  private func take(
    expose words: [Word], _ scope: StepScope, _ state: inout StageState
  ) throws {
    var ports: [String] = []
    // BuildKit sorts the operands as they are written, before variables are replaced (M3).
    for word in words.sorted(by: { $0.raw < $1.raw }) {
      let texts = try expandToList(
        word, in: state.environment, escape: scope.escape, at: scope.location)
      for text in texts { ports += try PortSpecification.ports(text, at: scope.location) }
    }
    var exposed = state.execution.exposedPorts ?? [:]
    for port in ports { exposed[port] = .init() }
    state.execution.exposedPorts = exposed
    state.note("EXPOSE \(GoText.list(ports))")
  }

  private func take(
    volumes words: [Word], _ scope: StepScope, _ state: inout StageState
  ) throws {
    var volumes = state.execution.volumes ?? [:]
    var shown: [String] = []
    for word in words {
      let path = try expand(word, scope, state)
      guard !path.isEmpty else {
        throw Diagnostic("VOLUME specified can not be an empty string", at: scope.location)
      }
      volumes[path] = .init()
      shown.append(path)
    }
    state.execution.volumes = volumes
    state.note("VOLUME \(GoText.list(shown))")
  }

  private func take(
    stopSignal word: Word, _ scope: StepScope, _ state: inout StageState
  ) throws {
    let signal = try expand(word, scope, state)
    guard StopSignal.isValid(signal) else {
      throw Diagnostic(
        "invalid signal: '\(signal)'", at: scope.location,
        help: "write a name such as SIGTERM, or a number other than 0")
    }
    state.execution.stopSignal = signal
    state.note("STOPSIGNAL \(signal)")
  }

  private mutating func take(
    workingDirectory word: Word, _ scope: StepScope, _ state: inout StageState
  ) throws {
    let text = try expand(word, scope, state)
    let path = text.hasPrefix("/") ? text : PathText.join(state.workingDirectory, text)
    state.execution.workingDirectory = path
    guard path != "/" else {
      state.note("WORKDIR \(path)")
      return
    }
    let action = DirectoryAction(root: state.root, path: path, user: state.user)
    let id = add(.makeDirectory(action), title: "WORKDIR \(text)", at: scope.location, to: &state)
    state.root = .operation(id)
    state.note("WORKDIR \(path)", layer: id)
  }
}

/// Where an instruction stands, for expansion and for errors.
struct StepScope: Sendable {
  var stage: Int
  var escape: Unicode.Scalar
  var location: SourceLocation?
}

extension StageState {
  /// Adds a history entry; with an operation it describes that operation's layer.
  mutating func note(_ text: String, layer: OperationID? = nil) {
    let entry = ImageConfiguration.History(
      createdBy: text, comment: "buildkit.dockerfile.v0", emptyLayer: layer == nil ? true : nil)
    history.append(PlannedHistory(entry: entry, operation: layer))
  }
}
