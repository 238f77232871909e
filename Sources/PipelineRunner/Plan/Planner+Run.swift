import PipelineDSL

extension Planner {
  /// Takes a `RUN` into a stage (section 5 of the reference).
  mutating func take(
    _ run: RunInstruction, _ scope: StepScope, _ state: inout StageState
  ) async throws {
    try refuseDevices(run, scope)
    var mounts: [MountAction] = []
    for mount in run.mounts {
      mounts.append(try await plan(mount, scope, state, among: mounts))
    }
    let command = script(of: run, in: state, mounts: &mounts)
    let network = try network(of: run, scope)
    var environment = state.environment
    if let epoch = options.sourceDateEpoch { environment.set("SOURCE_DATE_EPOCH", "\(epoch)") }
    let action = RunAction(
      root: state.root, arguments: command, environment: environment.strings, proxies: proxies,
      workingDirectory: state.workingDirectory, user: state.user, mounts: mounts,
      network: network, isInsecure: try isInsecure(run, scope), platform: state.platform)
    let shown = shownCommand(run, as: command, state)
    let title = "RUN \(GoText.oneLine(displayText(run)))"
    let id = add(.run(action), title: title, at: scope.location, to: &state)
    state.root = .operation(id)
    state.note("RUN \(shown) # buildkit", layer: id)
  }

  // MARK: - The command

  /// The argument vector, with here-documents put where they belong (R2).
  private func script(
    of run: RunInstruction, in state: StageState, mounts: inout [MountAction]
  ) -> [String] {
    guard case .shell(let text) = run.command, !run.heredocs.isEmpty else {
      return state.arguments(of: run.command)
    }
    if let script = run.soleHeredoc {
      // The body as written decides: `<<-` removes tabs, and a tab before `#!` is not looked behind.
      guard script.body.hasPrefix("#!") else { return state.shell + [script.effectiveBody] }
      let target = "/dev/pipes/\(script.name)"
      mounts.append(.script(content: script.effectiveBody, target: target))
      return [target]
    }
    return state.shell + [Self.textWithBodies(text, run.heredocs)]
  }

  /// The shell's own view: the line, then every body with its terminator.
  private static func textWithBodies(_ text: String, _ heredocs: [Heredoc]) -> String {
    var whole = text
    for heredoc in heredocs { whole += "\n\(heredoc.body)\(heredoc.name)" }
    return whole
  }

  private func displayText(_ run: RunInstruction) -> String {
    switch run.command {
    case .shell(let text): run.soleHeredoc?.body ?? text
    case .exec(let arguments): GoText.json(arguments)
    }
  }

  /// The command as history shows it, build arguments in front (section 7).
  private func shownCommand(
    _ run: RunInstruction, as command: [String], _ state: StageState
  ) -> String {
    var declared: [(name: String, text: String)] = []
    for argument in state.arguments {
      let value = state.environment[argument.name] ?? argument.value ?? ""
      let text = "\(argument.name)=\(value)"
      if let index = declared.firstIndex(where: { $0.name == argument.name }) {
        declared[index].text = text
      } else {
        declared.append((argument.name, text))
      }
    }
    var words = declared.isEmpty ? [] : ["|\(declared.count)"] + declared.map(\.text)
    // A script with an interpreter of its own is shown as if the shell were given its path.
    if case .shell = run.command, command.count == 1, run.heredocs.count == 1 {
      words += state.shell
    }
    words += command
    return words.joined(separator: " ")
  }

  // MARK: - Flags

  private var proxies: [String] {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"]
    return (names + names.map { $0.lowercased() }).compactMap { name in
      options.buildArguments[name].map { "\(name)=\($0)" }
    }
  }

  private func network(
    of run: RunInstruction, _ scope: StepScope
  ) throws(Diagnostic) -> RunRequest.Network {
    switch run.network ?? options.network ?? "default" {
    case "default", "": return .host
    case "none": return .none
    case "host":
      guard run.network == nil || options.entitlements.contains("network.host") else {
        throw Diagnostic(
          "'--network=host' needs a grant", at: scope.location,
          help: "build with --allow network.host if this step may use the machine's network")
      }
      return .host
    case let mode:
      throw Diagnostic(
        "invalid network mode '\(mode)'", at: scope.location,
        help: "write default, none or host")
    }
  }

  private func isInsecure(_ run: RunInstruction, _ scope: StepScope) throws(Diagnostic) -> Bool {
    switch run.security ?? "sandbox" {
    case "sandbox": return false
    case "insecure":
      guard options.entitlements.contains("security.insecure") else {
        throw Diagnostic(
          "'--security=insecure' needs a grant", at: scope.location,
          help: "build with --allow security.insecure if this step may do anything to the machine")
      }
      return true
    case let mode:
      throw Diagnostic(
        "invalid security mode '\(mode)'", at: scope.location, help: "write sandbox or insecure")
    }
  }

  private func refuseDevices(_ run: RunInstruction, _ scope: StepScope) throws(Diagnostic) {
    guard run.devices.isEmpty else {
      throw Diagnostic("'--device' is not executed by this engine", at: scope.location)
    }
  }

  // MARK: - Mounts

  private mutating func plan(
    _ mount: Mount, _ scope: StepScope, _ state: StageState, among earlier: [MountAction]
  ) async throws -> MountAction {
    let expansion = WordExpansion(escape: scope.escape) { state.environment[$0] }
    let specification = try MountSpecification(mount, at: scope.location) {
      (word) throws(Diagnostic) in try expansion.expand(word)
    }
    func absolute(_ target: String) throws(Diagnostic) -> String {
      let path = PathText.clean(
        target.hasPrefix("/") ? target : PathText.join(state.workingDirectory, target))
      guard path != "/" else {
        throw Diagnostic(
          "invalid mount target '/'", at: scope.location,
          help: "say where to mount it with target=/path")
      }
      return path
    }
    switch specification {
    case .bind(let from, let source, let target, let isReadOnly):
      let tree = try await tree(from, byIndex: false, scope, state)
      return .tree(tree, source: source, target: try absolute(target), isReadOnly: isReadOnly)
    case .cache(let cache):
      let target = try absolute(cache.target)
      var seed: TreeReference?
      if let from = cache.from { seed = try await tree(from, byIndex: false, scope, state) }
      return .cache(
        CacheAction(
          id: cache.id ?? target, seed: seed, source: cache.source, target: target,
          isReadOnly: cache.isReadOnly, sharing: cache.sharing, mode: cache.mode, uid: cache.uid,
          gid: cache.gid))
    case .tmpfs(let target, let size): return .tmpfs(target: try absolute(target), size: size)
    case .secret(var secret):
      if let target = secret.target { secret.target = try absolute(target) }
      return .secret(secret)
    case .ssh(let ssh):
      let number = earlier.count { if case .ssh = $0 { true } else { false } }
      let target = ssh.target ?? "/run/buildkit/ssh_agent.\(number)"
      return .ssh(ssh, target: try absolute(target))
    }
  }

  /// The tree that a `from` names: a stage, a named context, an image, or the context itself.
  mutating func tree(
    _ from: String?, byIndex: Bool, _ scope: StepScope, _ state: StageState
  ) async throws -> TreeReference {
    guard let from, !from.isEmpty else { return .context("") }
    let hasContext = options.contextNames.contains(from)
    if !hasContext,
      let index = try graph.stageIndex(
        from: from, at: scope.stage, allowsIndex: byIndex, location: scope.location)
    {
      return try await stage(index).root
    }
    if !hasContext, from == "scratch" { return .scratch }
    if !hasContext, Self.isBareName(from), !options.pullsUnknownNames {
      throw unknownName(from, scope)
    }
    if let directory = try await resolver.context(named: from) {
      return .context(directory)
    }
    let (id, _) = try await image(from, platform: state.platform, at: scope.location)
    return .operation(id)
  }

  /// Whether a name has no registry, tag or digest in it, so that it reads like a stage's.
  static func isBareName(_ name: String) -> Bool {
    !name.contains { $0 == "/" || $0 == ":" || $0 == "@" || $0 == "." }
  }

  private func unknownName(_ name: String, _ scope: StepScope) -> Diagnostic {
    let names = graph.stages[..<scope.stage].compactMap(\.name) + options.contextNames.sorted()
    let near = EditDistance.nearest(to: name.lowercased(), among: names)
    return Diagnostic(
      "'\(name)' is neither an earlier stage nor a named context", at: scope.location,
      help: near.map { "did you mean '\($0)'? " + Self.imageHint(name) } ?? Self.imageHint(name))
  }

  private static func imageHint(_ name: String) -> String {
    "an image of that name is written '\(name):latest', or allowed with --pull-unknown-names"
  }
}

extension Heredoc {
  /// The body as it is used: without leading tabs after `<<-`.
  var effectiveBody: String {
    guard stripsTabs else { return body }
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { $0.drop { $0 == "\t" } }.joined(separator: "\n")
  }
}
