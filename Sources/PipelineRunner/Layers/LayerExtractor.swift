import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Writes the entries of a layer's tar into an empty directory, in overlayfs-native form.
///
/// Nothing is ever reached by a path that was checked before: each directory is opened by its name
/// in the one above it, links not followed, and entries are made by single names in it (threats 1
/// to 5). A link on the way to an entry is followed inside the directory, as in a root.
final class LayerExtractor {
  /// A directory on the way to the current entry.
  private struct Level {
    var name: [UInt8]
    var descriptor: CInt
  }

  /// What a directory gets when nothing is written into it any more.
  private struct Time {
    var path: [UInt8]
    var modified: timespec
  }

  /// Directories that the archive has entries in, but no entry for: what they are like is for the
  /// layers below to say.
  private(set) var implied: [[UInt8]] = []
  private let root: OwnedDescriptor
  private var levels: [Level] = []
  private var times: [Time] = []

  private static let deepest = 1000

  /// Starts in an empty directory.
  init(into directory: FilePath) throws {
    root = try TreeAccess.openDirectory(directory)
  }

  deinit { leave(to: 0) }

  /// Takes everything out of an archive.
  func extract(_ reader: TarReader) throws {
    while try reader.next() {
      do {
        try add(reader)
      } catch let error as SystemError {
        throw error.diagnostic("the entry '\(Self.text(reader.name.bytes))' cannot be unpacked")
      }
    }
    leave(to: 0)
    for time in times.reversed() {
      guard
        let directory = try TreeAccess.openIfPresent(
          time.path, in: root.raw, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
          resolve: CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS)
      else { continue }
      guard futimens(directory.raw, [time.modified, time.modified]) == 0 else {
        throw SystemError("futimens", path: time.path)
      }
    }
  }

  private static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
  }

  // MARK: - Entries

  private func add(_ reader: TarReader) throws {
    let components = try Self.components(reader.name.bytes)
    guard let name = components.last else {
      try addTop(reader)
      return
    }
    try enter(components.dropLast())
    let parent = levels.last?.descriptor ?? root.raw
    if name.starts(with: Self.whiteout) {
      try hide(name, in: parent)
      return
    }
    try TreeAccess.withTerminated(name) { text in
      switch reader.entry.kind {
      case .directory: try makeDirectory(text, path: components, in: parent, reader)
      case .file: try makeFile(text, in: parent, reader)
      case .link: try makeLink(text, in: parent, reader)
      case .hardLink: try makeHardLink(text, in: parent, reader)
      case .characterDevice, .blockDevice, .fifo: try makeNode(text, in: parent, reader)
      }
    }
  }

  /// The components of an entry's name: `..` at the top stays there, as in a root (threat 1).
  private static func components(_ name: UnsafeRawBufferPointer) throws -> [[UInt8]] {
    guard !name.isEmpty else { throw Diagnostic("the archive has an entry without a name") }
    var result: [[UInt8]] = []
    for part in name.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) {
        if !result.isEmpty { result.removeLast() }
        continue
      }
      result.append(Array(part))
    }
    guard result.count <= deepest else {
      throw Diagnostic("an entry of the archive lies more than \(deepest) directories deep")
    }
    return result
  }

  /// The entry of the top directory itself.
  private func addTop(_ reader: TarReader) throws {
    guard reader.entry.kind == .directory else {
      throw Diagnostic("the archive's entry '\(Self.text(reader.name.bytes))' is no directory")
    }
    try setAttributes(of: root.raw, reader)
    times.append(Time(path: [UInt8(ascii: ".")], modified: Self.time(reader)))
  }

  // MARK: - Directories on the way

  private func leave(to depth: Int) {
    while levels.count > depth { close(levels.removeLast().descriptor) }
  }

  private func enter(_ path: ArraySlice<[UInt8]>) throws {
    var depth = 0
    while depth < levels.count, depth < path.count, levels[depth].name == path[depth] {
      depth += 1
    }
    leave(to: depth)
    while levels.count < path.count {
      let name = path[levels.count]
      guard !name.starts(with: Self.whiteout) else {
        throw Diagnostic("the archive has entries below the deletion '\(Self.text(name))'")
      }
      let parent = levels.last?.descriptor ?? root.raw
      levels.append(
        Level(name: name, descriptor: try open(path[...levels.count], in: parent)))
    }
  }

  /// Opens a directory on the way, making it where the archive has not.
  private func open(_ path: ArraySlice<[UInt8]>, in parent: CInt) throws -> CInt {
    let name = path[path.endIndex - 1]
    return try TreeAccess.withTerminated(name) { text throws -> CInt in
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      var descriptor = openat(parent, text, flags)
      if descriptor >= 0 { return descriptor }
      switch errno {
      case ENOENT: break
      case ELOOP, ENOTDIR:
        // A link of this layer, followed as if this were a root; anything else makes way.
        let whole = PathBytes.join(path)
        if let target = try TreeAccess.openIfPresent(
          whole, in: root.raw, flags: O_RDONLY | O_DIRECTORY)
        {
          return target.take()
        }
        guard unlinkat(parent, text, 0) == 0 else { throw SystemError("unlinkat", path: name) }
      default: throw SystemError("openat", path: name)
      }
      guard mkdirat(parent, text, 0o755) == 0 else { throw SystemError("mkdirat", path: name) }
      descriptor = openat(parent, text, flags)
      guard descriptor >= 0 else { throw SystemError("openat", path: name) }
      guard fchmod(descriptor, 0o755) == 0 else { throw SystemError("fchmod", path: name) }
      implied.append(PathBytes.join(path))
      return descriptor
    }
  }

  // MARK: - Deletions

  private static let whiteout = Array(TarMark.whiteout.utf8)

  private func hide(_ name: [UInt8], in parent: CInt) throws {
    if name.elementsEqual(TarMark.opaque.utf8) {
      try OverlayMark.setOpaque(parent)
      return
    }
    // What AUFS kept for itself.
    if name.starts(with: Array(".wh..wh.".utf8)) { return }
    let hidden = Array(name.dropFirst(Self.whiteout.count))
    guard !hidden.isEmpty, hidden != Array(".".utf8), hidden != Array("..".utf8) else {
      throw Diagnostic("the archive's '\(Self.text(name))' deletes nothing that has a name")
    }
    try TreeAccess.withTerminated(hidden) { text in
      // Files of this layer stay: a deletion is about the layers below.
      var status = stat()
      if fstatat(parent, text, &status, AT_SYMLINK_NOFOLLOW) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else { return }
        let raw = openat(parent, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("openat", path: hidden) }
        let directory = OwnedDescriptor(owning: raw)
        try OverlayMark.setOpaque(directory.raw)
        return
      }
      guard mknodat(parent, text, S_IFCHR, 0) == 0 else {
        throw SystemError("mknodat", path: hidden)
      }
    }
  }

  /// Makes room for an entry; true where a deletion stood there.
  @discardableResult
  private func clear(_ name: UnsafePointer<CChar>, in parent: CInt) throws -> Bool {
    var status = stat()
    guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      guard errno == ENOENT else { throw SystemError("fstatat", path: Self.bytes(name)) }
      return false
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      try DirectoryTree.remove(Self.bytes(name), in: parent)
      return false
    }
    guard unlinkat(parent, name, 0) == 0 else {
      throw SystemError("unlinkat", path: Self.bytes(name))
    }
    return status.isWhiteout
  }

  private static func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }

  // MARK: - Kinds of entries

  private func makeDirectory(
    _ name: UnsafePointer<CChar>, path: [[UInt8]], in parent: CInt, _ reader: TarReader
  ) throws {
    var hidesLower = false
    if mkdirat(parent, name, 0o700) != 0 {
      guard errno == EEXIST else { throw SystemError("mkdirat", path: Self.bytes(name)) }
      var status = stat()
      guard fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw SystemError("fstatat", path: Self.bytes(name))
      }
      if status.st_mode & S_IFMT != S_IFDIR {
        hidesLower = try clear(name, in: parent)
        guard mkdirat(parent, name, 0o700) == 0 else {
          throw SystemError("mkdirat", path: Self.bytes(name))
        }
      }
    }
    let raw = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("openat", path: Self.bytes(name)) }
    let directory = OwnedDescriptor(owning: raw)
    if hidesLower { try OverlayMark.setOpaque(directory.raw) }
    try setAttributes(of: directory.raw, reader)
    let whole = PathBytes.join(path[...])
    implied.removeAll { $0 == whole }
    times.append(Time(path: whole, modified: Self.time(reader)))
  }

  private func makeFile(
    _ name: UnsafePointer<CChar>, in parent: CInt, _ reader: TarReader
  ) throws {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    var raw = openat(parent, name, flags, 0o600)
    if raw < 0, errno == EEXIST {
      try clear(name, in: parent)
      raw = openat(parent, name, flags, 0o600)
    }
    guard raw >= 0 else { throw SystemError("openat", path: Self.bytes(name)) }
    let file = OwnedDescriptor(owning: raw)
    try writeContent(to: file.raw, reader)
    try setAttributes(of: file.raw, reader)
    let time = Self.time(reader)
    guard futimens(file.raw, [time, time]) == 0 else { throw SystemError("futimens") }
    try file.close()
  }

  private func writeContent(to file: CInt, _ reader: TarReader) throws {
    guard let sparse = reader.sparse else {
      while true {
        let piece = try reader.content()
        if piece.isEmpty { return }
        try FileData.write(piece, to: file)
      }
    }
    guard ftruncate(file, off_t(sparse.fileSize)) == 0 else { throw SystemError("ftruncate") }
    var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    for piece in sparse.pieces {
      guard lseek(file, off_t(piece.offset), SEEK_SET) >= 0 else { throw SystemError("lseek") }
      var left = Int(piece.length)
      while left > 0 {
        if rest.isEmpty { rest = try reader.content() }
        guard !rest.isEmpty else { throw SparseMap.malformed }
        let count = min(left, rest.count)
        try FileData.write(UnsafeRawBufferPointer(rebasing: rest[..<count]), to: file)
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        left -= count
      }
    }
  }

  private func makeLink(
    _ name: UnsafePointer<CChar>, in parent: CInt, _ reader: TarReader
  ) throws {
    try clear(name, in: parent)
    guard symlinkat(reader.link.terminated, parent, name) == 0 else {
      throw SystemError("symlinkat", path: Self.bytes(name))
    }
    try setOwnerAndTime(of: name, in: parent, reader)
  }

  private func makeNode(
    _ name: UnsafePointer<CChar>, in parent: CInt, _ reader: TarReader
  ) throws {
    try clear(name, in: parent)
    let entry = reader.entry
    let type: mode_t =
      switch entry.kind {
      case .characterDevice: S_IFCHR
      case .blockDevice: S_IFBLK
      default: S_IFIFO
      }
    let device = clinux_device(entry.major, entry.minor)
    guard !(type == S_IFCHR && device == 0) else {
      throw Diagnostic(
        "the archive has the device 0/0 as '\(Self.text(Self.bytes(name)))', which marks deletions")
    }
    guard mknodat(parent, name, type | mode_t(entry.mode & 0o777), device) == 0 else {
      throw SystemError("mknodat", path: Self.bytes(name))
    }
    guard fchownat(parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) == 0,
      fchmodat(parent, name, mode_t(entry.mode), 0) == 0
    else { throw SystemError("fchownat", path: Self.bytes(name)) }
    try setOwnerAndTime(of: name, in: parent, reader)
  }

  private func setOwnerAndTime(
    of name: UnsafePointer<CChar>, in parent: CInt, _ reader: TarReader
  ) throws {
    let time = Self.time(reader)
    guard
      fchownat(parent, name, reader.entry.uid, reader.entry.gid, AT_SYMLINK_NOFOLLOW) == 0,
      utimensat(parent, name, [time, time], AT_SYMLINK_NOFOLLOW) == 0
    else { throw SystemError("fchownat", path: Self.bytes(name)) }
  }

  /// A hard link is to an entry of the same archive, found without following any link (threat 4).
  private func makeHardLink(
    _ name: UnsafePointer<CChar>, in parent: CInt, _ reader: TarReader
  ) throws {
    let target = try Self.components(reader.link.bytes)
    guard let last = target.last else {
      throw Diagnostic("a hard link of the archive names no file")
    }
    let directory = try TreeAccess.openIfPresent(
      target.count == 1 ? [UInt8(ascii: ".")] : PathBytes.join(target.dropLast()), in: root.raw,
      flags: O_RDONLY | O_DIRECTORY,
      resolve: CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS)
    guard let directory else { throw Self.noTarget(reader) }
    try TreeAccess.withTerminated(last) { text in
      var found = stat()
      var own = stat()
      guard fstatat(directory.raw, text, &found, AT_SYMLINK_NOFOLLOW) == 0,
        found.st_mode & S_IFMT != S_IFDIR, !found.isWhiteout
      else { throw Self.noTarget(reader) }
      if fstatat(parent, name, &own, AT_SYMLINK_NOFOLLOW) == 0, own.st_ino == found.st_ino,
        own.st_dev == found.st_dev
      {
        return
      }
      try clear(name, in: parent)
      guard linkat(directory.raw, text, parent, name, 0) == 0 else {
        throw SystemError("linkat", path: Self.bytes(name))
      }
    }
  }

  private static func noTarget(_ reader: TarReader) -> Diagnostic {
    Diagnostic(
      "the hard link '\(text(reader.name.bytes))' is to '\(text(reader.link.bytes))', which the archive"
        + " does not have before it")
  }

  // MARK: - Attributes

  private static func time(_ reader: TarReader) -> timespec {
    timespec(tv_sec: Int(reader.entry.modified), tv_nsec: reader.nanoseconds)
  }

  /// Owner first, as a change of it drops set-id bits and capabilities.
  private func setAttributes(of descriptor: CInt, _ reader: TarReader) throws {
    let entry = reader.entry
    guard fchown(descriptor, entry.uid, entry.gid) == 0 else { throw SystemError("fchown") }
    guard fchmod(descriptor, mode_t(entry.mode)) == 0 else { throw SystemError("fchmod") }
    for (name, value) in reader.attributes where Self.isKept(name) {
      let status = TreeAccess.withTerminated(name) { text in
        value.withUnsafeBytes {
          clinux_set_attribute(descriptor, text, $0.baseAddress ?? UnsafeRawPointer(text), $0.count)
        }
      }
      // As for copies, attributes that a file system does not take are left out (C7).
      guard status == 0 || errno == ENOTSUP || errno == EPERM || errno == EINVAL else {
        throw SystemError("fsetxattr", path: name)
      }
    }
  }

  /// Attributes of overlayfs would read other layers' files, and those of this machine's labels
  /// mean nothing elsewhere (threat 7).
  private static func isKept(_ name: [UInt8]) -> Bool {
    !name.starts(with: "trusted.".utf8) && !name.starts(with: "user.overlay.".utf8)
      && !name.elementsEqual("security.selinux".utf8)
  }
}
