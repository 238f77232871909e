/// A system call that fails in a user namespace and can be answered in the kernel's place.
enum RecordedCall: Hashable, Sendable, CaseIterable {
  /// By a path, following a link at its end: `chown(path, uid, gid)`.
  case chown
  /// By a path, never following: `lchown(path, uid, gid)`.
  case lchown
  /// By a descriptor: `fchown(fd, uid, gid)`.
  case fchown
  /// By a directory and a path: `fchownat(fd, path, uid, gid, flags)`.
  case fchownat
  /// `mknod(path, mode, device)`.
  case mknod
  /// `mknodat(fd, path, mode, device)`.
  case mknodat
  /// Becoming another user or group; every argument is an id.
  case setUser
  case setGroup
  /// `setgroups(count, list)`.
  case setGroups
  /// Asking for an id: it is the value.
  case getUser
  case getEffectiveUser
  case getGroup
  case getEffectiveGroup
  /// Asking for real, effective and saved ids: each argument says where to.
  case getUsers
  case getGroupIDs
  /// `getgroups(count, list)`.
  case getGroups

  /// The kernel's names; those with 32 are of instruction sets whose older call has 16-bit ids.
  var names: [String] {
    switch self {
    case .chown: ["chown", "chown32"]
    case .lchown: ["lchown", "lchown32"]
    case .fchown: ["fchown", "fchown32"]
    case .fchownat: ["fchownat"]
    case .mknod: ["mknod"]
    case .mknodat: ["mknodat"]
    case .setUser: ["setuid", "setreuid", "setresuid", "setuid32", "setreuid32", "setresuid32"]
    case .setGroup: ["setgid", "setregid", "setresgid", "setgid32", "setregid32", "setresgid32"]
    case .setGroups: ["setgroups", "setgroups32"]
    case .getUser: ["getuid", "getuid32"]
    case .getEffectiveUser: ["geteuid", "geteuid32"]
    case .getGroup: ["getgid", "getgid32"]
    case .getEffectiveGroup: ["getegid", "getegid32"]
    case .getUsers: ["getresuid", "getresuid32"]
    case .getGroupIDs: ["getresgid", "getresgid32"]
    case .getGroups: ["getgroups", "getgroups32"]
    }
  }

  /// How many arguments are ids, for calls that have no other.
  static func count(ofIDsIn name: String) -> Int {
    if name.hasPrefix("setres") { return 3 }
    return name.hasPrefix("setre") ? 2 : 1
  }

  /// Those that have to be answered where this process runs, for a command of a user.
  static func needed(uid: UInt32, allowsEverything: Bool) -> [RecordedCall] {
    switch IdentityMap.current {
    case .machine: []
    // Who is not root makes no devices, and can only give files of their own to a group of theirs.
    // A command that is to have no filter has none.
    case .several: uid == 0 && !allowsEverything ? [.mknod, .mknodat] : []
    case .one: uid == 0 ? allCases : [.chown, .lchown, .fchown, .fchownat]
    }
  }
}
