import CLinux
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Answers the system calls of a command that the kernel would refuse in a user namespace: owners
/// and devices are recorded (``FileRecord``), and who wants to be somebody else is told that it is.
///
/// The kernel stops the caller until the answer is there (seccomp_unotify(2)). Paths are followed
/// by a thread that has the command's own root and working directory while it does, so they mean
/// what they mean to the command; links of /proc to open files are not followed, as this thread
/// may look where the command may not.
final class CallRecorder: Sendable {
  private let numbers: [SeccompProfile.CallNumber: (call: RecordedCall, name: String)]
  private let uid: UInt32
  private let groups: [UInt32]
  private let strangers = Mutex<Set<UInt32>>([])

  /// What the command has to be told of what it was told; nil where nothing was untrue.
  var remark: String? {
    let ids = strangers.withLock { $0.sorted() }
    if ids.isEmpty { return nil }
    return "note: this command changed to the ids \(ids.map(String.init).joined(separator: ", "))"
      + " and went on as root all the same: this build has one id\n"
  }

  /// Answers calls of a user who has groups, the first of them being that of new files.
  init(answering calls: [RecordedCall], of uid: UInt32, groups: [UInt32]) {
    (self.uid, self.groups) = (uid, groups)
    numbers = SeccompProfile.numbers(of: calls)
  }

  /// Begins to serve a command that is about to be started, until its last process has ended.
  ///
  /// - Returns: where the command sends its listener; to be closed here once the command has it.
  func start() throws(SystemError) -> SharedDescriptor {
    var ends: [CInt] = [0, 0]
    guard clinux_socket_pair(&ends) == 0 else { throw SystemError("socketpair") }
    let listening = SharedDescriptor(OwnedDescriptor(owning: ends[0]))
    let socket = SharedDescriptor(OwnedDescriptor(owning: ends[1]))
    try WorkerThread.start { [self] in
      let raw = clinux_receive_descriptor(listening.raw)
      guard raw >= 0 else { return }
      let listener = OwnedDescriptor(owning: raw)
      guard let place = try? CallerPlace() else { return }
      let pretended = PretendedIDs()
      var call = clinux_call()
      while clinux_next_call(listener.raw, &call) == 1 {
        answer(call, listener.raw, place, pretended)
      }
    }
    return socket
  }

  private enum Answer {
    static let success = Answer.value(0)

    case value(Int64)
    case failure(CInt)
    /// Nothing is recorded: the kernel is to do it.
    case pass
  }

  private func answer(
    _ call: clinux_call, _ listener: CInt, _ place: CallerPlace, _ pretended: PretendedIDs
  ) {
    let answer: Answer
    do {
      answer = try record(call, listener, place, pretended)
    } catch {
      answer = .failure((error as? SystemError)?.code ?? EPERM)
    }
    switch answer {
    case .value(let value): _ = clinux_answer_call(listener, call.id, value, 0)
    case .failure(let code): _ = clinux_answer_call(listener, call.id, 0, code)
    case .pass: _ = clinux_pass_call(listener, call.id)
    }
  }

  private func record(
    _ call: clinux_call, _ listener: CInt, _ place: CallerPlace, _ pretended: PretendedIDs
  ) throws -> Answer {
    let number = SeccompProfile.CallNumber(
      architecture: call.architecture, number: call.number)
    guard let (kind, name) = numbers[number] else { return .pass }
    let words = withUnsafeBytes(of: call.arguments) { Array($0.bindMemory(to: UInt64.self)) }
    func descriptor(_ index: Int) -> CInt { CInt(truncatingIfNeeded: words[index]) }
    func id(_ index: Int) -> UInt32 {
      let value = UInt32(truncatingIfNeeded: words[index])
      // The older calls of i386 and arm.
      return Self.isNarrow(call.architecture, name) && value & 0xFFFF == 0xFFFF ? .max : value
    }
    let caller = CallerPlace.Caller(call, listener)
    switch kind {
    case .chown:
      let file = try place.open(words[0], in: AT_FDCWD, of: caller, followsLinks: true)
      return try give(file, id(1), id(2))
    case .lchown:
      let file = try place.open(words[0], in: AT_FDCWD, of: caller, followsLinks: false)
      return try give(file, id(1), id(2))
    case .fchown: return try give(place.open(descriptor(0), of: caller), id(1), id(2))
    case .fchownat:
      let flags = descriptor(4)
      let isEmpty = flags & Self.emptyPath != 0
      if isEmpty, try place.text(words[1], of: caller).isEmpty {
        return try give(place.open(descriptor(0), of: caller), id(2), id(3))
      }
      let file = try place.open(
        words[1], in: descriptor(0), of: caller, followsLinks: flags & AT_SYMLINK_NOFOLLOW == 0)
      return try give(file, id(2), id(3))
    case .mknod: return try make(words[0], in: AT_FDCWD, words[1], words[2], caller, place)
    case .mknodat:
      return try make(words[1], in: descriptor(0), words[2], words[3], caller, place)
    case .setUser, .setGroup:
      let ids = (0..<RecordedCall.count(ofIDsIn: name)).map(id)
      let others = ids.filter { $0 != 0 && $0 != .max }
      if others.isEmpty && pretended.isEmpty { return .pass }
      strangers.withLock { $0.formUnion(others) }
      let isPermitted =
        kind == .setUser
        ? pretended.setUser(ids, of: call.task) : pretended.setGroup(ids, of: call.task)
      return isPermitted ? .success : .failure(EPERM)
    case .setGroups:
      // The kernel lets nobody change groups who mapped an id without help.
      guard words[0] <= 65536 else { return .failure(EINVAL) }
      if Self.isNarrow(call.architecture, name) { return .success }
      var groups = [UInt32](repeating: 0, count: Int(words[0]))
      guard
        groups.isEmpty || clinux_read_memory(call.task, words[1], &groups, groups.count * 4) == 0
      else { return .failure(EFAULT) }
      return pretended.setGroups(groups, of: call.task) ? .success : .failure(EPERM)
    default:
      if pretended.isEmpty || Self.isNarrow(call.architecture, name) { return .pass }
      return tell(pretended.credentials(of: call.task), kind, words, call.task)
    }
  }

  /// Answers who asks for ids.
  private func tell(
    _ credentials: PretendedIDs.Credentials, _ kind: RecordedCall, _ words: [UInt64],
    _ task: pid_t
  ) -> Answer {
    let (users, groups) = (credentials.users, credentials.groups)
    switch kind {
    case .getUser: return .value(Int64(users.real))
    case .getEffectiveUser: return .value(Int64(users.effective))
    case .getGroup: return .value(Int64(groups.real))
    case .getEffectiveGroup: return .value(Int64(groups.effective))
    case .getGroups:
      let count = credentials.others.count
      if words[0] == 0 { return .value(Int64(count)) }
      guard words[0] >= UInt64(count) else { return .failure(EINVAL) }
      guard count == 0 || clinux_write_memory(task, words[1], credentials.others, count * 4) == 0
      else { return .failure(EFAULT) }
      return .value(Int64(count))
    case .getUsers, .getGroupIDs:
      let ids = kind == .getUsers ? users : groups
      for (index, var id) in [ids.real, ids.effective, ids.saved].enumerated() {
        guard clinux_write_memory(task, words[index], &id, 4) == 0 else { return .failure(EFAULT) }
      }
      return .success
    default: return .pass
    }
  }

  /// AT_EMPTY_PATH of the *at calls.
  private static let emptyPath: CInt = 0x1000

  /// Whether ids have 16 bits in a call.
  private static func isNarrow(_ architecture: UInt32, _ name: String) -> Bool {
    // AUDIT_ARCH_I386 and AUDIT_ARCH_ARM.
    (architecture == 0x4000_0003 || architecture == 0x4000_0028)
      && !name.hasSuffix("32") && !["fchownat", "mknod", "mknodat"].contains(name)
  }

  /// Records an owner; ids that are all ones stay as they are.
  private func give(
    _ file: borrowing OwnedDescriptor, _ uid: UInt32, _ gid: UInt32
  ) throws -> Answer {
    let status = try FileRecord.status(of: file.raw)
    var now = (status.st_uid, status.st_gid)
    if self.uid != 0 {
      // What has no record yet is the user's own.
      if now == (0, 0) { now = (self.uid, groups[0]) }
      let isOwn = now.0 == self.uid && (uid == .max || uid == self.uid)
      guard isOwn, gid == .max || gid == now.1 || groups.contains(gid) else {
        return .failure(EPERM)
      }
    }
    // What the kernel does beside: setuid and capabilities go, and a read-only mount refuses.
    guard clinux_change_owner(file.raw, 0, 0) == 0 else { return .failure(errno) }
    let owner = (uid == .max ? now.0 : uid, gid == .max ? now.1 : gid)
    return FileRecord.setOwner(of: file.raw, owner.0, owner.1) == 0 ? .success : .failure(errno)
  }

  private func make(
    _ path: UInt64, in directory: CInt, _ mode: UInt64, _ device: UInt64,
    _ caller: CallerPlace.Caller, _ place: CallerPlace
  ) throws -> Answer {
    let type = mode_t(truncatingIfNeeded: mode) & S_IFMT
    let number = UInt32(truncatingIfNeeded: device)
    guard type == S_IFCHR || type == S_IFBLK, number != 0 else { return .pass }
    let file = try place.create(
      path, in: directory, of: caller, mode: mode_t(truncatingIfNeeded: mode) & 0o7777)
    return FileRecord.mark(file.raw, type: type, number: dev_t(number))
      ? .success : .failure(errno)
  }
}
