import Glibc
import PipelineDSL
import SystemPackage

/// The owner, mode and time that something gets as it lands.
struct Landing: Sendable {
  var uid: UInt32
  var gid: UInt32
  /// Permission bits, setuid and its like included.
  var mode: UInt32
  var modified: timespec
}

extension timespec {
  /// Lets the kernel take its own time: UTIME_NOW.
  static let now = timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1)
}

/// What `--chown`, `--chmod` and the kind of source make of an entry's owner and mode (C5, C9).
///
/// The copier and the digest share it: the key holds modes and owners as they land (cache.md K4).
struct LandingRules {
  let owner: (uid: UInt32, gid: UInt32)?
  let mode: FileMode?

  /// Resolves the flags of a request; names are looked up in its root (C8).
  init(_ request: CopyRequest, empty: FilePath) throws {
    mode = try request.mode.map { text throws(Diagnostic) in
      try FileMode(text, at: request.location)
    }
    owner = try request.owner.map { try Self.owner($0, request, empty) }
  }

  private static func owner(
    _ text: String, _ request: CopyRequest, _ empty: FilePath
  ) throws -> (uid: UInt32, gid: UInt32) {
    if let owner = try UserDatabase.numericOwner(text) { return owner }
    if request.isLinked {
      throw Diagnostic(
        "--link cannot look up the names in --chown=\(text)", at: request.location,
        help: "use numeric ids, or leave --link out")
    }
    let root = try DetachedOverlay.readOnly(request.root, empty: empty)
    return try UserDatabase(root: root).owner(text)
  }

  /// What an entry of a tree gets.
  func landing(of status: stat, isContext: Bool) -> Landing {
    let type = status.st_mode & S_IFMT
    var bits = UInt32(status.st_mode & 0o7777)
    if let mode, type != S_IFLNK { bits = mode.applied(to: bits, isDirectory: type == S_IFDIR) }
    return Landing(
      uid: owner?.uid ?? (isContext ? 0 : status.st_uid),
      gid: owner?.gid ?? (isContext ? 0 : status.st_gid), mode: bits, modified: status.st_mtim)
  }

  /// What a file gets that lies in no tree: a here-document or a download (C13, C15).
  func landing(mode bits: UInt32, modified: timespec) -> Landing {
    Landing(
      uid: owner?.uid ?? 0, gid: owner?.gid ?? 0,
      mode: mode?.applied(to: bits, isDirectory: false) ?? bits, modified: modified)
  }
}
