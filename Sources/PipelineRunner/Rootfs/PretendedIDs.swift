import Glibc
import SystemPackage

/// The users that processes of a command believe they became, where there is one id.
///
/// Programs that give up being root look whether it worked; the rules are those of credentials(7).
/// A process that asks for the first time has what its parent has then.
final class PretendedIDs {
  /// Real, effective and saved.
  struct Triple: Hashable {
    var real: UInt32 = 0
    var effective: UInt32 = 0
    var saved: UInt32 = 0

    fileprivate func contains(_ id: UInt32) -> Bool {
      id == real || id == effective || id == saved
    }
  }

  struct Credentials: Hashable {
    var users = Triple()
    var groups = Triple()
    var others: [UInt32] = []

    fileprivate var isRoot: Bool { users.effective == 0 }
  }

  private struct Process {
    /// When it started, as numbers are used again.
    var start: UInt64
    var parent: pid_t
    var identifier: pid_t
  }

  private var known: [pid_t: (start: UInt64, credentials: Credentials)] = [:]

  /// Whether nothing but root was ever asked for.
  var isEmpty: Bool { known.isEmpty }

  /// What a thread's process believes to be.
  func credentials(of task: pid_t) -> Credentials {
    if known.isEmpty { return Credentials() }
    var next = task
    while let process = Self.process(next), process.identifier > 1 {
      if let found = known[process.identifier], found.start == process.start {
        if next != task { set(found.credentials, of: task) }
        return found.credentials
      }
      next = process.parent
    }
    return Credentials()
  }

  private func set(_ credentials: Credentials, of task: pid_t) {
    guard let process = Self.process(task) else { return }
    known[process.identifier] = (process.start, credentials)
  }

  /// What setuid, setreuid or setresuid comes to, by the number of ids given.
  ///
  /// Ids that are all ones stay. False where it is not permitted.
  func setUser(_ ids: [UInt32], of task: pid_t) -> Bool {
    var credentials = credentials(of: task)
    guard Self.change(&credentials.users, ids, isRoot: credentials.isRoot) else { return false }
    set(credentials, of: task)
    return true
  }

  /// The same for groups.
  func setGroup(_ ids: [UInt32], of task: pid_t) -> Bool {
    var credentials = credentials(of: task)
    guard Self.change(&credentials.groups, ids, isRoot: credentials.isRoot) else { return false }
    set(credentials, of: task)
    return true
  }

  func setGroups(_ groups: [UInt32], of task: pid_t) -> Bool {
    var credentials = credentials(of: task)
    guard credentials.isRoot else { return false }
    credentials.others = groups
    set(credentials, of: task)
    return true
  }

  private static func change(_ now: inout Triple, _ ids: [UInt32], isRoot: Bool) -> Bool {
    let before = now
    func pick(_ id: UInt32, _ old: UInt32) -> UInt32 { id == .max ? old : id }
    switch ids.count {
    case 1:
      if isRoot {
        now = Triple(real: ids[0], effective: ids[0], saved: ids[0])
        return true
      }
      guard ids[0] == before.real || ids[0] == before.saved else { return false }
      now.effective = ids[0]
      return true
    case 2:
      guard isRoot || ids.allSatisfy({ $0 == .max || before.contains($0) }) else { return false }
      now.real = pick(ids[0], before.real)
      now.effective = pick(ids[1], before.effective)
      if ids[0] != .max || (ids[1] != .max && ids[1] != before.real) { now.saved = now.effective }
      return true
    default:
      guard isRoot || ids.allSatisfy({ $0 == .max || before.contains($0) }) else { return false }
      now = Triple(
        real: pick(ids[0], before.real), effective: pick(ids[1], before.effective),
        saved: pick(ids[2], before.saved))
      return true
    }
  }

  private static func process(_ task: pid_t) -> Process? {
    guard let status = try? FileContent.read(FilePath("/proc/\(task)/status")) else { return nil }
    var numbers: [Substring: pid_t] = [:]
    let text = String(decoding: status, as: UTF8.self)
    for line in text.split(separator: "\n") {
      for name in ["Tgid:", "PPid:"] where line.hasPrefix(name) {
        numbers[Substring(name)] = pid_t(line.dropFirst(name.count).filter { $0.isNumber })
      }
    }
    guard let identifier = numbers["Tgid:"], let parent = numbers["PPid:"],
      let stat = try? FileContent.read(FilePath("/proc/\(identifier)/stat"))
    else { return nil }
    // After the name, which can hold anything, the twentieth field.
    let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?
      .split(separator: " ")
    guard let fields, fields.count > 19, let start = UInt64(fields[19]) else { return nil }
    return Process(start: start, parent: parent, identifier: identifier)
  }
}
