import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Writes into an upper directory what a copy makes, seeing the layers below through a read-only
/// view.
///
/// No overlay is mounted for writing: what exists below is looked up there, and what is made stands
/// in the upper directory in the form that overlayfs gives it. Everything goes by directory
/// descriptor and single names; no path of the image is ever given to the kernel (threats 2, 11).
final class UpperWriter {
  /// A directory of the merged tree.
  final class Folder {
    let parent: Folder?
    let name: [UInt8]
    /// Its copy in the upper directory; -1 until something has to be written there.
    fileprivate(set) var upper: CInt
    /// What the layers below have there; -1 where they have no directory, or it is hidden.
    fileprivate(set) var lower: CInt
    /// New files here get another group than ours (setgid), so that it must always be set.
    fileprivate(set) var givesGroup = false

    fileprivate init(parent: Folder?, name: [UInt8], upper: CInt, lower: CInt) {
      self.parent = parent
      self.name = name
      self.upper = upper
      self.lower = lower
    }

    deinit {
      if upper >= 0 { close(upper) }
      if lower >= 0 { close(lower) }
    }

    /// The absolute path in the image, for messages.
    var path: [UInt8] {
      guard let parent else { return [] }
      return parent.path + [UInt8(ascii: "/")] + name
    }
  }

  /// What a name in a folder is in the merged tree.
  enum Occupant {
    case nothing
    case directory
    /// Anything else, and whether it is the upper directory that has it.
    case other(stat, isUpper: Bool)
  }

  /// Where a path of the image leads.
  enum Destination {
    case folder(Folder)
    case other(in: Folder, name: [UInt8])
    /// Nothing is there; the components are still to be made below the folder.
    case missing(in: Folder, [[UInt8]])
  }

  /// The owner and mode of directories that are made on the way (C7).
  struct Defaults {
    var mode: UInt32 = 0o755
    var uid: UInt32 = 0
    var gid: UInt32 = 0
  }

  let root: Folder
  /// Whether owners that cannot be set are recorded, as in everything that becomes a layer.
  let recordsOwners: Bool
  var defaults = Defaults()
  /// Set when anything was written.
  private(set) var hasWritten = false
  let data = FileData()

  /// Starts in an upper directory over a tree.
  ///
  /// The upper's own mode, owner and time become those of the tree's top, for it is what the merged
  /// root shows.
  init(
    upper: FilePath, over tree: RootTree, empty: FilePath, recordsOwners: Bool = true
  ) throws {
    self.recordsOwners = recordsOwners
    let lower: CInt
    if tree.layers.isEmpty {
      lower = -1
    } else {
      // A mount's own descriptor names a path only; attributes are read from an open directory.
      let mount = try DetachedOverlay.readOnly(tree, empty: empty)
      lower = try TreeAccess.open(
        [UInt8(ascii: ".")], in: mount.raw, flags: O_RDONLY | O_DIRECTORY
      ).take()
    }
    root = Folder(
      parent: nil, name: [], upper: try TreeAccess.openDirectory(upper).take(), lower: lower)
    if lower >= 0 {
      try copyMetadata(from: lower, to: root)
    } else {
      guard setOwner(root.upper, 0, 0), fchmod(root.upper, 0o755) == 0 else {
        throw SystemError("fchmod")
      }
    }
  }

  /// Gives an open file to somebody.
  func setOwner(_ descriptor: CInt, _ uid: UInt32, _ gid: UInt32) -> Bool {
    if FileRecord.keepsOwners && !recordsOwners { return true }
    return FileRecord.setOwner(of: descriptor, uid, gid) == 0
  }

  // MARK: Looking

  /// What the merged tree has under a name.
  func occupant(of name: [UInt8], in folder: Folder) throws(SystemError) -> Occupant {
    try TreeAccess.withTerminated(name) { text throws(SystemError) -> Occupant in
      try occupant(of: text, in: folder)
    }
  }

  func occupant(of name: UnsafePointer<CChar>, in folder: Folder) throws(SystemError) -> Occupant {
    var status = stat()
    for (descriptor, isUpper) in [(folder.upper, true), (folder.lower, false)]
    where descriptor >= 0 {
      if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
        if isUpper && status.isWhiteout { return .nothing }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .other(status, isUpper: isUpper)
      }
      guard errno == ENOENT else {
        throw SystemError("fstatat", path: folder.path + [UInt8(ascii: "/")])
      }
    }
    return .nothing
  }

  /// Opens a directory of the merged tree that is known to be there.
  func folder(_ name: [UInt8], in parent: Folder) throws(SystemError) -> Folder {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    return try TreeAccess.withTerminated(name) { text throws(SystemError) -> Folder in
      let upper = parent.upper >= 0 ? openat(parent.upper, text, flags) : -1
      if parent.upper >= 0 && upper < 0 && errno != ENOENT {
        throw SystemError("open", path: name)
      }
      let isOpaque =
        upper >= 0 && parent.lower >= 0
        && clinux_get_attribute(upper, UpperWriter.opaque, nil, 0) > 0
      let lower = parent.lower >= 0 && !isOpaque ? openat(parent.lower, text, flags) : -1
      guard upper >= 0 || lower >= 0 else { throw SystemError("open", path: name) }
      let folder = Folder(parent: parent, name: name, upper: upper, lower: lower)
      folder.givesGroup = try TreeAccess.status(of: upper >= 0 ? upper : lower).givesGroup
      return folder
    }
  }

  /// Follows a path through the merged tree, links included, as a process in the image would.
  func resolve(_ path: [UInt8], from start: Folder? = nil) throws -> Destination {
    let top = start ?? root
    var current = top
    var pending: [[UInt8]] = PathBytes.parts(path).reversed()
    var missing: [[UInt8]] = []
    var links = 0
    while let name = pending.popLast() {
      if name.elementsEqual("..".utf8) {
        if missing.popLast() == nil, current !== top { current = current.parent ?? current }
        continue
      }
      if !missing.isEmpty {
        missing.append(name)
        continue
      }
      switch try occupant(of: name, in: current) {
      case .directory: current = try folder(name, in: current)
      case .nothing: missing.append(name)
      case .other(let status, let isUpper):
        guard status.st_mode & S_IFMT == S_IFLNK else {
          if pending.isEmpty { return .other(in: current, name: name) }
          throw Diagnostic("'\(text(current, name))' in the image is not a directory")
        }
        links += 1
        // The kernel's own limit.
        guard links <= 40 else {
          throw Diagnostic("too many symbolic links on the way to '\(Self.text(path))'")
        }
        let target = try readLink(name, in: isUpper ? current.upper : current.lower)
        if target.first == UInt8(ascii: "/") { current = top }
        pending += PathBytes.parts(target).reversed()
      }
    }
    return missing.isEmpty ? .folder(current) : .missing(in: current, missing)
  }

  private func readLink(_ name: [UInt8], in directory: CInt) throws(SystemError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)
    defer { buffer.deallocate() }
    let length = try TreeAccess.withTerminated(name) { text throws(SystemError) -> Int in
      let entry = SourceEntry(directory: directory, name: text, status: stat())
      return try entry.readLink(into: buffer)
    }
    return Array(buffer[..<length])
  }

  // MARK: Directories

  /// The directory at a path, made with its parents where it is missing.
  func makeDirectories(_ path: [UInt8], from start: Folder? = nil) throws -> Folder {
    switch try resolve(path, from: start) {
    case .folder(let folder): return folder
    case .other(let folder, let name):
      throw Diagnostic("'\(text(folder, name))' in the image is not a directory")
    case .missing(var folder, let names):
      for name in names { folder = try makeDirectory(name, in: folder) }
      return folder
    }
  }

  /// Makes a directory where nothing is, with the defaults' owner and mode.
  func makeDirectory(_ name: [UInt8], in parent: Folder) throws(SystemError) -> Folder {
    let folder = try makeBareDirectory(name, in: parent)
    guard setOwner(folder.upper, defaults.uid, defaults.gid),
      fchmod(folder.upper, mode_t(defaults.mode)) == 0
    else { throw SystemError("fchmod", path: name) }
    folder.givesGroup = defaults.mode & 0o2000 != 0
    return folder
  }

  /// The directory under a name for the content of a copied one: made, or the one that is there.
  func enterDirectory(_ name: [UInt8], in parent: Folder) throws -> Folder {
    switch try occupant(of: name, in: parent) {
    case .nothing: return try makeBareDirectory(name, in: parent)
    case .directory:
      let found = try folder(name, in: parent)
      try makeUpper(found)
      return found
    case .other:
      throw Diagnostic(
        "'\(text(parent, name))' in the image is not a directory and cannot be replaced by one",
        help: "copy to another path, or remove it in an earlier step")
    }
  }

  /// Gives a directory that was filled its final owner, mode and time.
  func finish(_ folder: Folder, landing: Landing) throws(SystemError) {
    guard setOwner(folder.upper, landing.uid, landing.gid),
      fchmod(folder.upper, mode_t(landing.mode)) == 0,
      futimens(folder.upper, [landing.modified, landing.modified]) == 0
    else { throw SystemError("fchmod", path: folder.name) }
  }

  /// Makes a directory where nothing is, with a mode that lets nobody else in yet.
  func makeBareDirectory(_ name: [UInt8], in parent: Folder) throws(SystemError) -> Folder {
    try makeUpper(parent)
    return try TreeAccess.withTerminated(name) { text throws(SystemError) -> Folder in
      var hidesLower = false
      if mkdirat(parent.upper, text, 0o700) != 0 {
        // A whiteout that this copy left: the directory must not show what it hides.
        guard errno == EEXIST, unlinkat(parent.upper, text, 0) == 0,
          mkdirat(parent.upper, text, 0o700) == 0
        else { throw SystemError("mkdir", path: name) }
        hidesLower = true
      }
      let upper = openat(
        parent.upper, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard upper >= 0 else { throw SystemError("open", path: name) }
      let folder = Folder(parent: parent, name: name, upper: upper, lower: -1)
      if hidesLower { try markOpaque(folder) }
      hasWritten = true
      return folder
    }
  }

  /// Copies a directory, without what is in it, into the upper so that something can be put there.
  func makeUpper(_ folder: Folder) throws(SystemError) {
    if folder.upper >= 0 { return }
    guard let parent = folder.parent else { preconditionFailure("the top has an upper") }
    try makeUpper(parent)
    try TreeAccess.withTerminated(folder.name) { text throws(SystemError) in
      // EEXIST: another look at the same directory has made it.
      let isNew = mkdirat(parent.upper, text, 0o700) == 0
      guard isNew || errno == EEXIST else { throw SystemError("mkdir", path: folder.name) }
      folder.upper = openat(parent.upper, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard folder.upper >= 0 else { throw SystemError("open", path: folder.name) }
      if isNew { try copyMetadata(from: folder.lower, to: folder) }
    }
    hasWritten = true
  }

  private func copyMetadata(from lower: CInt, to folder: Folder) throws(SystemError) {
    let status = try FileRecord.status(of: lower)
    guard setOwner(folder.upper, status.st_uid, status.st_gid) else {
      throw SystemError("fchown", path: folder.name)
    }
    try ExtendedAttributes.copy(from: lower, to: folder.upper, keeping: .all)
    guard fchmod(folder.upper, status.st_mode & 0o7777) == 0,
      futimens(folder.upper, [status.st_atim, status.st_mtim]) == 0
    else { throw SystemError("fchmod", path: folder.name) }
    folder.givesGroup = status.givesGroup
  }

  /// Hides what the layers below have in a directory.
  func markOpaque(_ folder: Folder) throws(SystemError) {
    guard clinux_set_attribute(folder.upper, Self.opaque, "y", 1) == 0 else {
      throw SystemError("fsetxattr", path: folder.name)
    }
    if folder.lower >= 0 {
      close(folder.lower)
      folder.lower = -1
    }
  }

  static let opaque = OverlayMark.opaque

  /// Notes that something was written by a call that is not here.
  func noteWrite() { hasWritten = true }

  static func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

  func text(_ folder: Folder, _ name: [UInt8]) -> String {
    Self.text(folder.path + [UInt8(ascii: "/")] + name)
  }
}

extension stat {
  /// The sign by which overlayfs hides a name of the layers below.
  var isWhiteout: Bool { st_mode & S_IFMT == S_IFCHR && st_rdev == 0 }

  /// Whether what is made in this directory gets the directory's group.
  fileprivate var givesGroup: Bool { st_mode & S_ISGID != 0 }
}

extension OwnedDescriptor {
  /// Gives the descriptor to an owner that closes it itself.
  consuming func take() -> CInt {
    let copy = fcntl(raw, F_DUPFD_CLOEXEC, 0)
    return copy
  }
}
