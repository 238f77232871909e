import Glibc
import PipelineDSL
import SystemPackage

/// The ids beside their own that users may give to processes (subuid(5), subgid(5)).
struct SubordinateIDs {
  struct Range: Hashable {
    var first: UInt32
    var count: UInt32
  }

  /// Why a user has none, and what can be done about it.
  struct Obstacle {
    var reason: String
    var help: String
  }

  static let files: (users: FilePath, groups: FilePath) = ("/etc/subuid", "/etc/subgid")

  /// The programs that may write maps of more than one id.
  static let programs = (users: "newuidmap", groups: "newgidmap")

  var ranges: [Range]

  /// The ranges that a file gives to a user, by name or by number.
  init(_ text: String, user: String, uid: uid_t) {
    ranges = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3, fields[0] == user || fields[0] == "\(uid)",
        let first = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0
      else { return nil }
      return Range(first: first, count: count)
    }
  }

  /// The ranges that a file of the machine gives to a user; none where there is no such file.
  init(in file: FilePath, of uid: uid_t) {
    let bytes = (try? FileContent.readIfPresent(file)) ?? nil
    self.init(
      String(decoding: bytes ?? [], as: UTF8.self), user: Self.name(of: uid), uid: uid)
  }

  /// Why a user cannot build with subordinate ids; nil where nothing is in the way.
  static func obstacle(for uid: uid_t) -> Obstacle? {
    if SubordinateIDs(in: files.users, of: uid).ranges.isEmpty
      || SubordinateIDs(in: files.groups, of: uid).ranges.isEmpty
    {
      let name = name(of: uid)
      return Obstacle(
        reason: "'\(name)' has no subordinate ids in \(files.users) and \(files.groups)",
        help: "for more, have root run: usermod --add-subuids 100000-165535"
          + " --add-subgids 100000-165535 \(name)")
    }
    for program in [programs.users, programs.groups] where !isInstalled(program) {
      return Obstacle(
        reason: "the program '\(program)' is not installed",
        help: "for more, install the package uidmap or shadow-utils")
    }
    return nil
  }

  private static func name(of uid: uid_t) -> String {
    getpwuid(uid).map { String(cString: $0.pointee.pw_name) } ?? "\(uid)"
  }

  private static func isInstalled(_ program: String) -> Bool {
    let path = ProcessVariables.nonEmpty("PATH") ?? "/usr/bin:/bin"
    return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
  }

  /// The arguments of newuidmap and newgidmap: root is the user, and the ids from 1 on are the
  /// ranges one after another.
  func map(own id: UInt32) -> [String] {
    var arguments = ["0", "\(id)", "1"]
    var next: UInt64 = 1
    for range in ranges {
      arguments += ["\(next)", "\(range.first)", "\(range.count)"]
      next += UInt64(range.count)
    }
    return arguments
  }
}
