import CLinux
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// A command under way: what starts it, reads it, and kills it.
final class SandboxProcess: Sendable {
  private enum State {
    case waiting
    case running(CInt)
    case killed
    case ended
  }

  private let state = Mutex(State.waiting)

  /// Ends the command and everything it started, now; before it began, keeps it from beginning.
  func kill() {
    state.withLock { state in
      if case .running(let process) = state { _ = clinux_kill(process) }
      if case .ended = state { return }
      state = .killed
    }
  }

  /// What a command's streams are connected to.
  enum Connection {
    /// Nothing to read, and pipes that the parent reads.
    case captured
    /// The parent's own descriptors, or a terminal's other end.
    case given(input: SharedDescriptor, output: SharedDescriptor, error: SharedDescriptor)
    case terminal(SharedDescriptor)
  }

  /// A command that was started.
  struct Running {
    var process: CInt
    /// The pipe that the child reports on.
    var reports: SharedDescriptor
    var streams: [(SharedDescriptor, Sandbox.Stream)] = []
    /// What answers calls that the kernel would refuse.
    var recorder: CallRecorder?
  }

  /// What is known of a command besides its mounts.
  struct Launch {
    var request: RunRequest
    var uid: UInt32
    var gid: UInt32
    var groups: [UInt32]
    var environment: [[UInt8]]
    var lookup: ProgramLookup
    var root: SharedDescriptor
    /// Where the root, and other mounts, are attached meanwhile.
    var rootStaging: FilePath
    var staging: FilePath
    /// Nil where nothing is limited.
    var group: ControlGroup?

    /// Whether the command's user is not the one that is mapped here; it gets a user namespace of
    /// its own, in which it is.
    var isOnlyUser: Bool { IdentityMap.current == .one && (uid != 0 || gid != 0) }
  }

  /// A reading end for the parent and a writing end for the child, above the standard streams.
  private static func pipe() throws(SystemError) -> (
    reading: SharedDescriptor, writing: SharedDescriptor
  ) {
    var ends: [CInt] = [0, 0]
    guard clinux_pipe(&ends) == 0 else { throw SystemError("pipe") }
    let reading = SharedDescriptor(OwnedDescriptor(owning: ends[0]))
    return (reading, SharedDescriptor(OwnedDescriptor(owning: ends[1])))
  }

  private static func noInput() throws(SystemError) -> SharedDescriptor {
    let raw = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", path: Array("/dev/null".utf8)) }
    return SharedDescriptor(OwnedDescriptor(owning: raw))
  }

  // MARK: - Starting

  /// Starts the command.
  func start(
    _ launch: Launch, plan: MountPlan, connection: Connection
  ) throws -> Running {
    let (reports, report) = try Self.pipe()
    var running = Running(process: -1, reports: reports)
    let input: SharedDescriptor
    let output: SharedDescriptor
    let error: SharedDescriptor
    var hasTerminal = false
    switch connection {
    case .captured:
      input = try Self.noInput()
      let (out, outEnd) = try Self.pipe()
      let (err, errEnd) = try Self.pipe()
      running.streams = [(out, .standardOutput), (err, .standardError)]
      output = outEnd
      error = errEnd
    case .given(let first, let second, let third): (input, output, error) = (first, second, third)
    case .terminal(let terminal):
      (input, output, error) = (terminal, terminal, terminal)
      hasTerminal = true
    }
    let strings = CStrings()
    defer { strings.free() }
    let mounts = plan.entries.map { entry in
      clinux_mount(
        kind: CInt(entry.kind.rawValue), fd: entry.mount?.raw ?? -1,
        source: strings.add(entry.source), target: strings.add(PathBytes.join(entry.target[...])),
        attributes: entry.attributes)
    }
    let request = launch.request
    var filter = request.allowsEverything ? [] : SeccompProfile.program
    var kept = [
      launch.root.raw, input.raw,
      output.raw, error.raw, report.raw,
    ]
    var listener: SharedDescriptor?
    let calls = RecordedCall.needed(
      uid: launch.uid, allowsEverything: request.allowsEverything)
    if !calls.isEmpty {
      filter = SeccompProfile.program(
        asking: calls, allowsEverything: request.allowsEverything)
      let recorder = CallRecorder(
        answering: calls, of: launch.uid, groups: launch.groups)
      let socket = try recorder.start()
      kept.append(socket.raw)
      listener = socket
      running.recorder = recorder
    }
    // Closed when the command has it, so that the recorder sees a command that never began.
    defer { withExtendedLifetime(listener) {} }
    kept += plan.entries.compactMap { $0.mount?.raw }
    kept += launch.group?.taskFiles.map(\.raw) ?? []
    if let directory = launch.group?.directory { kept.append(directory.raw) }
    kept = Array(Set(kept)).sorted()
    var namespaces = CLINUX_NEW_MOUNTS | CLINUX_NEW_PID | CLINUX_NEW_IPC | CLINUX_NEW_UTS
    if request.network == .none { namespaces |= CLINUX_NEW_NET }
    if ControlGroups.isUnified { namespaces |= CLINUX_NEW_CGROUP }

    var sandbox = clinux_sandbox()
    sandbox.namespaces = namespaces
    sandbox.root = launch.root.raw
    sandbox.root_staging = strings.add(launch.rootStaging.bytes)
    sandbox.staging = strings.add(launch.staging.bytes)
    sandbox.hostname = strings.add(Array(request.hostname.utf8))
    sandbox.raises_loopback = request.network == .none ? 1 : 0
    sandbox.directory = strings.add(request.workingDirectory)
    sandbox.uid = launch.uid
    sandbox.gid = launch.gid
    sandbox.listener = listener?.raw ?? -1
    if launch.isOnlyUser {
      sandbox.user_map = strings.add(Array("\(launch.uid) 0 1".utf8))
      sandbox.group_map = strings.add(Array("\(launch.gid) 0 1".utf8))
    }
    sandbox.capabilities = request.allowsEverything ? Capabilities.all : Capabilities.standard
    sandbox.input = input.raw
    sandbox.output = output.raw
    sandbox.error = error.raw
    sandbox.has_terminal = hasTerminal ? 1 : 0
    sandbox.report = report.raw
    sandbox.cgroup = launch.group?.directory?.raw ?? -1
    sandbox.programs = strings.addList(launch.lookup.candidates)
    sandbox.arguments = strings.addList(request.arguments)
    sandbox.environment = strings.addList(launch.environment)

    let taskFiles = launch.group?.taskFiles.map(\.raw) ?? []

    running.process = try mounts.withUnsafeBufferPointer { mounts in
      try kept.withUnsafeBufferPointer { kept in
        try launch.groups.withUnsafeBufferPointer { groups in
          try filter.withUnsafeBufferPointer { filter in
            try taskFiles.withUnsafeBufferPointer { taskFiles in
              sandbox.task_files = taskFiles.baseAddress
              sandbox.task_file_count = taskFiles.count
              sandbox.mounts = mounts.baseAddress
              sandbox.mount_count = mounts.count
              sandbox.kept = kept.baseAddress
              sandbox.kept_count = kept.count
              sandbox.groups = groups.baseAddress
              // With one id the kernel lets nobody have any.
              sandbox.group_count = FileRecord.keepsOwners ? 0 : groups.count
              sandbox.filter = UnsafeRawPointer(filter.isEmpty ? nil : filter.baseAddress)
              sandbox.filter_length = filter.count / 8
              return try spawn(&sandbox)
            }
          }
        }
      }
    }
    return running
  }

  private func spawn(_ sandbox: inout clinux_sandbox) throws -> CInt {
    // Under the lock, so that a kill comes before or after and is never lost in between.
    let process = state.withLock { state -> CInt? in
      if case .killed = state { return nil }
      let process = clinux_spawn(&sandbox)
      if process >= 0 { state = .running(process) }
      return process
    }
    guard let process else { throw CancellationError() }
    guard process >= 0 else {
      throw SystemError("clone3").diagnostic("the sandbox cannot be set up")
    }
    return process
  }

  // MARK: - Running

  /// Passes on what the command writes until it ends, and returns what the child reported.
  ///
  /// A slow reader slows the command down: nothing is read before the last piece was taken. The
  /// end of the process counts, not of its streams, which a descendant may have given away.
  func finish(
    _ running: Running,
    output: (Sandbox.Stream, UnsafeRawBufferPointer) -> Void
  ) -> [clinux_report] {
    let owner = OwnedDescriptor(owning: running.process)
    let streams = running.streams
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    for (descriptor, _) in streams { _ = fcntl(descriptor.raw, F_SETFL, O_NONBLOCK) }
    var waiting =
      streams.map { pollfd(fd: $0.0.raw, events: Int16(POLLIN), revents: 0) }
      + [pollfd(fd: owner.raw, events: Int16(POLLIN), revents: 0)]
    while waiting[streams.count].revents == 0 {
      guard poll(&waiting, nfds_t(waiting.count), -1) >= 0 || errno == EINTR else { break }
      for (index, (descriptor, stream)) in streams.enumerated() where waiting[index].revents != 0 {
        let length = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
        if length > 0 {
          output(stream, UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        } else if length == 0 || (errno != EAGAIN && errno != EINTR) {
          waiting[index].fd = -1
          waiting[index].revents = 0
        }
      }
    }
    for (index, (descriptor, stream)) in streams.enumerated() where waiting[index].fd >= 0 {
      drain(descriptor.raw, buffer) { output(stream, $0) }
    }
    reap(owner.raw)
    return Self.read(running.reports)
  }

  /// Lets the command use the user's terminal until it ends.
  func finish(_ running: Running, with session: TerminalSession) -> [clinux_report] {
    let owner = OwnedDescriptor(owning: running.process)
    session.begin()
    session.carry(until: owner.raw)
    session.end()
    reap(owner.raw)
    return Self.read(running.reports)
  }

  private func reap(_ process: CInt) {
    state.withLock { state in
      _ = clinux_reap(process)
      if case .running = state { state = .ended }
    }
  }

  /// Reads what is left in a pipe whose writers are gone; not more than a pipe holds, as somebody
  /// outside of the sandbox may have got the other end.
  private func drain(
    _ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer,
    _ output: (UnsafeRawBufferPointer) -> Void
  ) {
    var left = 1 << 20
    while left > 0 {
      let length = Glibc.read(descriptor, buffer.baseAddress, min(buffer.count, left))
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { return }
      output(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
      left -= length
    }
  }

  private static func read(_ reports: SharedDescriptor) -> [clinux_report] {
    var found: [clinux_report] = []
    var report = clinux_report()
    let size = MemoryLayout<clinux_report>.size
    while Glibc.read(reports.raw, &report, size) == size { found.append(report) }
    return found
  }
}

/// C strings that live until they are freed together.
private final class CStrings {
  private var strings: [UnsafeMutablePointer<CChar>] = []
  private var lists: [UnsafeMutablePointer<UnsafePointer<CChar>?>] = []

  /// A copy of bytes with a NUL after them.
  func add(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    memcpy(text, bytes, bytes.count)
    text[bytes.count] = 0
    strings.append(text)
    return UnsafePointer(text)
  }

  /// A list of strings that ends with a null pointer.
  func addList(_ items: [[UInt8]]) -> UnsafePointer<UnsafePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: items.count + 1)
    for (index, item) in items.enumerated() { list[index] = add(item) }
    list[items.count] = nil
    lists.append(list)
    return UnsafePointer(list)
  }

  func free() {
    for string in strings { string.deallocate() }
    for list in lists { list.deallocate() }
  }
}
