import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Runs one command in a root of its own: namespaces, overlayfs, no daemon.
///
/// Everything is prepared here, by descriptor and without attaching anything; one process is then
/// made that only has to attach it (executor.md, recommendations 4 to 6).
struct Sandbox: Sendable {
  /// A directory with nothing in it.
  var empty: FilePath
  var places: SandboxPlaces

  enum Stream: Sendable {
    case standardOutput
    case standardError
  }

  /// Runs a command; its changes are in the workspace's upper directory afterwards.
  ///
  /// Cancelling the task kills every process of the command.
  ///
  /// - Throws: a diagnostic where the command could not be started.
  func run(
    _ request: RunRequest, in workspace: Workspace,
    output: @escaping @Sendable (Stream, UnsafeRawBufferPointer) -> Void
  ) async throws -> ExitStatus {
    try await perform { process in
      try run(request, in: workspace) { launch, plan in
        let running = try process.start(launch, plan: plan, connection: .captured)
        let reports = process.finish(running, output: output)
        if let remark = running.recorder?.remark {
          Array(remark.utf8).withUnsafeBytes { output(.standardError, $0) }
        }
        return reports
      }
    }
  }

  /// Runs a command that a person uses: at the terminal where there is one, else with this
  /// program's own streams.
  func attach(_ request: RunRequest, in workspace: Workspace) async throws -> ExitStatus {
    try await perform { process in
      try run(request, in: workspace) { launch, plan in
        guard TerminalSession.isPossible, let terminals = plan.terminals else {
          let running = try process.start(
            launch, plan: plan,
            connection: .given(
              input: try Self.copy(STDIN_FILENO), output: try Self.copy(STDOUT_FILENO),
              error: try Self.copy(STDERR_FILENO)))
          return process.finish(running) { _, _ in }
        }
        let session = try TerminalSession(in: terminals, uid: launch.uid)
        let running = try process.start(
          launch, plan: plan, connection: .terminal(session.peer))
        return process.finish(running, with: session)
      }
    }
  }

  private static func copy(_ stream: CInt) throws(SystemError) -> SharedDescriptor {
    let raw = fcntl(stream, F_DUPFD_CLOEXEC, 3)
    guard raw >= 0 else { throw SystemError("fcntl") }
    return SharedDescriptor(OwnedDescriptor(owning: raw))
  }

  private func perform(
    _ body: @escaping @Sendable (SandboxProcess) throws -> ExitStatus
  ) async throws -> ExitStatus {
    let process = SandboxProcess()
    return try await withTaskCancellationHandler {
      let status = try await blocking { try body(process) }
      // A command that was killed has no status of its own.
      try Task.checkCancellation()
      return status
    } onCancel: {
      process.kill()
    }
  }

  private func run(
    _ request: RunRequest, in workspace: Workspace,
    _ body: (SandboxProcess.Launch, MountPlan) throws -> [clinux_report]
  ) throws -> ExitStatus {
    for argument in request.arguments + request.environment where argument.contains(0) {
      throw Diagnostic(
        "'\(String(decoding: argument.prefix { $0 != 0 }, as: UTF8.self))' has a NUL byte after it",
        help: "arguments and variables of a command cannot hold one")
    }
    let (plan, launch) = try prepare(request, in: workspace)
    defer {
      for relay in plan.relays { relay.stop() }
      launch.group?.remove()
    }
    let status = try status(try body(launch, plan), plan, launch)
    if FileRecord.keepsOwners {
      try OwnerSettlement(uid: launch.uid, gid: launch.gid).settle(workspace.upper)
    }
    return status
  }

  private func status(
    _ reports: [clinux_report], _ plan: MountPlan, _ launch: SandboxProcess.Launch
  ) throws -> ExitStatus {
    for report in reports {
      guard report.stage == CInt(CLINUX_STAGE_ENDED.rawValue) else {
        let failure = SandboxFailure(plan: plan, request: launch.request, lookup: launch.lookup)
        throw failure.diagnostic(report, root: launch.root.raw)
      }
      let code = report.code
      let status: ExitStatus =
        code & 0x7F == 0 ? .exited((code >> 8) & 0xFF) : .signaled(code & 0x7F)
      if status != .exited(0) { try checkMemory(launch) }
      return status
    }
    try checkMemory(launch)
    // PID 1 itself was killed, by us or for want of memory.
    return .signaled(SIGKILL)
  }

  /// A failure for want of memory looks like any other; the kernel tells.
  private func checkMemory(_ launch: SandboxProcess.Launch) throws {
    guard launch.group?.ranOutOfMemory == true, let limit = launch.request.limits.memory else {
      return
    }
    throw Diagnostic(
      "the command needed more memory than --memory allows (\(limit >> 20) MiB), and was killed",
      help: "give it more, or let it do less at once")
  }

  // MARK: - Preparing

  private func prepare(
    _ request: RunRequest, in workspace: Workspace
  ) throws -> (MountPlan, SandboxProcess.Launch) {
    // An earlier command in the same workspace leaves what its mounts needed.
    for name in try DirectoryTree.names(in: workspace.scratch) {
      try DirectoryTree.remove(workspace.scratch.appending(name))
    }
    let (identity, plan) = try survey(request, in: workspace)
    let view = plan.view
    if !view.stubs.isEmpty { try remount(withPoints(request.root), in: workspace, view) }
    try makeWorkingDirectory(request, identity, view)
    var environment = request.environment
    if !environment.contains(where: { $0.starts(with: "HOME=".utf8) }) {
      environment.append(Array("HOME=".utf8) + (identity.home ?? [UInt8(ascii: "/")]))
    }
    // A file that is closed to a group stays closed to a member of it only if the group is among the
    // supplementary ones (containerd CVE-2022-36109).
    let groups = [identity.gid] + identity.groups.filter { $0 != identity.gid }
    let launch = SandboxProcess.Launch(
      request: request, uid: identity.uid, gid: identity.gid, groups: groups,
      environment: environment,
      lookup: ProgramLookup(
        request.arguments.first ?? [], environment: environment,
        workingDirectory: request.workingDirectory),
      root: view.root, rootStaging: places.root, staging: places.aside,
      group: request.limits.isEmpty ? nil : try ControlGroup(request.limits))
    return (plan, launch)
  }

  /// Looks around in the root and plans the mounts.
  private func survey(
    _ request: RunRequest, in workspace: Workspace
  ) throws -> (UserDatabase.Identity, MountPlan) {
    try renewWork(workspace)
    let tree = withPoints(request.root)
    let root = try DetachedOverlay.writable(tree, in: workspace, empty: empty)
    let identity = try UserDatabase(root: root).process(user: request.user)
    let view = RootView(root: SharedDescriptor(root))
    return (
      identity, try MountPlan(request, view: view, workspace: workspace, empty: empty)
    )
  }

  /// A root with the usual mount points at its bottom, where overlayfs takes them and one layer
  /// more.
  private func withPoints(_ tree: RootTree) -> RootTree {
    let hasRoom = tree.layers.count + 2 <= DetachedOverlay.mostLayers
    return hasRoom ? RootTree([places.points] + tree.layers) : tree
  }

  /// Mounts the root again, with the mount points that it lacks.
  private func remount(_ tree: RootTree, in workspace: Workspace, _ view: RootView) throws {
    let stubs = workspace.scratch.appending("stubs")
    try StubLayer.make(view.stubs, at: stubs, over: view.root.raw)
    // Two mounts may not share an upper directory: the first goes before the second comes.
    view.root = SharedDescriptor(try TreeAccess.openDirectory(empty))
    try renewWork(workspace)
    view.root = SharedDescriptor(
      try DetachedOverlay.writable(RootTree(tree.layers + [stubs]), in: workspace, empty: empty))
  }

  /// Empties the work directory where an earlier mount was made with it.
  ///
  /// A volatile overlay leaves a mark there and is refused afterwards, as its content may be lost
  /// after a crash; this process still knows that there was none.
  private func renewWork(_ workspace: Workspace) throws(SystemError) {
    guard try !DirectoryTree.names(in: workspace.work).isEmpty else { return }
    try DirectoryTree.remove(workspace.work)
    try DirectoryTree.make(workspace.work, mode: 0o755)
  }

  private func makeWorkingDirectory(
    _ request: RunRequest, _ identity: UserDatabase.Identity, _ view: RootView
  ) throws {
    let place = try view.resolve(request.workingDirectory)
    guard place.type == nil, !place.isKernels else { return }
    if let point = place.point, point.isReadOnly {
      throw Diagnostic(
        "the working directory '\(RootView.text(place.path))' is missing in what is mounted at "
          + "'\(RootView.text(point.path))', which is read-only")
    }
    _ = try view.makeDirectories(
      Array(place.path[place.existing...]), in: place.directory, mode: 0o755,
      owner: (identity.uid, identity.gid))
  }
}
