import Glibc
import PipelineDSL
import SystemPackage

/// Which users and groups files and processes can have here.
enum IdentityMap: Hashable, Sendable {
  /// Those of the machine.
  case machine
  /// Root and subordinate ids, in a user namespace.
  case several
  /// Root alone, in a user namespace: nothing can be given to anybody else.
  case one

  /// That of this process.
  static let current: IdentityMap = {
    let maps = ["/proc/self/uid_map", "/proc/self/gid_map"].map { path in
      String(decoding: (try? FileContent.read(FilePath(path))) ?? [], as: UTF8.self)
    }
    return maps.map(reading).max { $0.rank < $1.rank } ?? .machine
  }()

  /// That of a build which this process starts: who is not root builds in a user namespace.
  static let ofBuilds: IdentityMap =
    geteuid() == 0 ? current : SubordinateIDs.obstacle(for: getuid()) == nil ? .several : .one

  private var rank: Int {
    switch self {
    case .machine: 0
    case .several: 1
    case .one: 2
    }
  }

  /// What the text of `/proc/self/uid_map` comes to; one that cannot be read is the machine's.
  static func reading(_ map: String) -> IdentityMap {
    let fields = map.split { $0 == " " || $0 == "\n" }
    if fields.isEmpty || fields == ["0", "0", "4294967295"] { return .machine }
    return fields.count == 3 && fields[2] == "1" ? .one : .several
  }

  /// What a user is told whose build has one id.
  static var notice: Diagnostic? {
    guard current == .one else { return nil }
    let map = try? FileContent.read("/proc/self/uid_map")
    let fields = String(decoding: map ?? [], as: UTF8.self).split { $0 == " " || $0 == "\n" }
    let outside = fields.count == 3 ? uid_t(fields[1]) : nil
    let obstacle = outside.flatMap { $0 == 0 ? nil : SubordinateIDs.obstacle(for: $0) }
    return Diagnostic(
      "this build has one id\(obstacle.map { ": \($0.reason)" } ?? ""); other owners of files are"
        + " recorded for the image, and a command that changes to another user goes on as root",
      severity: .warning, help: obstacle?.help)
  }
}
