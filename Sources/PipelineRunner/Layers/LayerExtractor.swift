import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Writes the entries of a layer's tar into an empty directory, in the form that overlayfs reads.
///
/// Nothing in the tar is trusted (threats 1 to 8). Names are taken apart here and walked one by one
/// below the directory; a link on the way is followed as if the directory were the root. Deletions
/// are written down whether or not anything lies below, as layers are unpacked independently of each
/// other (containerd#13030); an opaque mark counts wherever it stands in the tar.
final class LayerExtractor {
  /// More than any image has; a tar of empty entries compresses a thousandfold.
  private static let mostEntries = 16_000_000
  private static let longestPath = 4096

  /// An open directory on the path of the last entry.
  private struct Level {
    var descriptor: CInt
    /// Where the path of this directory ends in `current`.
    var end: Int
    /// New files get the directory's group, so that theirs must be set.
    var givesGroup: Bool
  }

  private let reader: TarReader
  private let root: OwnedDescriptor
  private let rootGivesGroup: Bool
  /// The entry's path with `.` and `..` worked out, and where each component ends.
  private let path = ByteBuffer()
  private var ends: [Int] = []
  /// The path of the directory that `levels` leads to.
  private let current = ByteBuffer()
  private var levels: [Level] = []
  /// Times of directories, set when nothing is written into them any more.
  private let times = ByteBuffer()
  private var entries = 0
  /// Directories that the archive has entries in, but no entry for: what they are like is for the
  /// layers below to say.
  private(set) var implied: Set<[UInt8]> = []

  init(_ reader: TarReader, into directory: FilePath) throws {
    self.reader = reader
    let root = try TreeAccess.openDirectory(directory)
    rootGivesGroup = try TreeAccess.status(of: root.raw).st_mode & S_ISGID != 0
    self.root = root
  }

  deinit { for level in levels { close(level.descriptor) } }

  /// Unpacks everything; the last of several entries with one name wins.
  func run() throws {
    while try reader.next() {
      entries += 1
      guard entries <= Self.mostEntries else {
        throw Diagnostic("the archive has more than \(Self.mostEntries) entries")
      }
      try extract()
    }
    try setTimes()
  }

  // MARK: Entries

  private func extract() throws {
    try takeApart(reader.name.bytes)
    guard let end = ends.last else {
      // `./`: the attributes of the root directory itself.
      guard reader.entry.kind == .directory else {
        throw Diagnostic("the archive holds an entry without a name")
      }
      return try finishDirectory(root.raw)
    }
    let parent = try enterParent()
    let start = ends.count > 1 ? ends[ends.count - 2] + 1 : 0
    let name = UnsafeRawPointer(path.start + start).assumingMemoryBound(to: CChar.self)
    precondition(end == path.count)
    if strncmp(name, TarMark.whiteout, 4) == 0 {
      return try markDeletion(name, end - start, parent)
    }
    switch reader.entry.kind {
    case .directory: try makeDirectory(name, parent)
    case .file: try makeFile(name, parent)
    case .hardLink: try makeHardLink(name, parent)
    case .link:
      guard reader.link.count > 0, reader.link.count <= Self.longestPath else {
        throw Diagnostic("the link '\(text)' in the archive has no possible target")
      }
      let target = reader.link.terminated
      try replacing(name, parent) { symlinkat(target, parent.descriptor, name) == 0 }
      try finishNode(name, parent, setsMode: false)
    case .characterDevice, .blockDevice, .fifo: try makeNode(name, parent)
    }
  }

  /// The entry's name for messages.
  private var text: String { String(decoding: reader.name.bytes, as: UTF8.self) }

  private func makeFile(_ name: UnsafePointer<CChar>, _ parent: Level) throws {
    var descriptor: CInt = -1
    try replacing(name, parent) {
      descriptor = openat(
        parent.descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      return descriptor >= 0
    }
    defer { close(descriptor) }
    try writeContent(descriptor)
    let entry = reader.entry
    if entry.uid != 0 || entry.gid != 0 || parent.givesGroup {
      // Before mode and capabilities: a change of owner takes both away.
      try check(FileRecord.setOwner(of: descriptor, entry.uid, entry.gid), "fchown")
    }
    try setAttributes(descriptor)
    try check(fchmod(descriptor, mode_t(entry.mode)), "fchmod")
    let time = self.time
    try check(futimens(descriptor, [time, time]), "futimens")
  }

  private func writeContent(_ descriptor: CInt) throws {
    guard let sparse = reader.sparse else {
      while true {
        let bytes = try reader.content()
        if bytes.isEmpty { return }
        try FileData.write(bytes, to: descriptor)
      }
    }
    var index = 0
    var offset: Int64 = 0
    while true {
      var bytes = try reader.content()
      if bytes.isEmpty { break }
      while !bytes.isEmpty {
        while index < sparse.pieces.count && offset == sparse.pieces[index].length {
          index += 1
          offset = 0
        }
        guard index < sparse.pieces.count else { throw SparseMap.malformed }
        let piece = sparse.pieces[index]
        let count = min(Int64(bytes.count), piece.length - offset)
        let target = off_t(piece.offset + offset)
        guard lseek(descriptor, target, SEEK_SET) == target else { throw SystemError("lseek") }
        try FileData.write(UnsafeRawBufferPointer(rebasing: bytes[..<Int(count)]), to: descriptor)
        offset += count
        bytes = UnsafeRawBufferPointer(rebasing: bytes[Int(count)...])
      }
    }
    try check(ftruncate(descriptor, off_t(sparse.fileSize)), "ftruncate")
  }

  private func makeDirectory(_ name: UnsafePointer<CChar>, _ parent: Level) throws {
    var isNew = mkdirat(parent.descriptor, name, 0o700) == 0
    var hides = false
    if !isNew {
      guard errno == EEXIST else { throw failure("mkdir") }
      let status = try self.status(of: name, parent)
      if status.st_mode & S_IFMT != S_IFDIR {
        // What the same layer had here before would have replaced a directory of a layer below.
        try remove(name, parent)
        try check(mkdirat(parent.descriptor, name, 0o700), "mkdir")
        isNew = true
        hides = true
      }
    }
    let descriptor = openat(
      parent.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open") }
    if hides { try OverlayMark.setOpaque(descriptor) }
    try finishDirectory(descriptor)
    // Most directories are followed by what is in them.
    levels.append(
      Level(
        descriptor: descriptor, end: path.count, givesGroup: reader.entry.mode & 0o2000 != 0))
    current.removeAll()
    current.append(path.start, path.count)
  }

  private func finishDirectory(_ descriptor: CInt) throws {
    let entry = reader.entry
    if !implied.isEmpty { implied.remove([UInt8](path.bytes)) }
    try check(FileRecord.setOwner(of: descriptor, entry.uid, entry.gid), "fchown")
    try setAttributes(descriptor)
    try check(fchmod(descriptor, mode_t(entry.mode)), "fchmod")
    times.append(number: UInt64(path.count))
    times.append(path.start, path.count)
    times.append(number: UInt64(bitPattern: entry.modified))
    times.append(number: UInt64(reader.nanoseconds))
  }

  private func makeHardLink(_ name: UnsafePointer<CChar>, _ parent: Level) throws {
    let missing = Diagnostic(
      "the hard link '\(text)' in the archive leads to"
        + " '\(String(decoding: reader.link.bytes, as: UTF8.self))', which is no file before it")
    let components = try Self.components(Array(reader.link.bytes))
    guard let last = components.last else { throw missing }
    let folder = PathBytes.join(components.dropLast())
    guard
      let place = try TreeAccess.openIfPresent(
        folder.isEmpty ? [UInt8(ascii: ".")] : folder, in: root.raw,
        flags: TreeAccess.pathOnly | O_DIRECTORY)
    else { throw missing }
    try TreeAccess.withTerminated(last) { target in
      var status = stat()
      guard fstatat(place.raw, target, &status, AT_SYMLINK_NOFOLLOW) == 0,
        status.st_mode & S_IFMT != S_IFDIR, !status.isWhiteout
      else { throw missing }
      var occupant = stat()
      if fstatat(parent.descriptor, name, &occupant, AT_SYMLINK_NOFOLLOW) == 0,
        occupant.st_ino == status.st_ino, occupant.st_dev == status.st_dev
      {
        // It is that file already.
        return
      }
      try replacing(name, parent) {
        linkat(place.raw, target, parent.descriptor, name, 0) == 0
      }
    }
  }

  private func makeNode(_ name: UnsafePointer<CChar>, _ parent: Level) throws {
    let entry = reader.entry
    let type: mode_t =
      switch entry.kind {
      case .characterDevice: S_IFCHR
      case .blockDevice: S_IFBLK
      default: S_IFIFO
      }
    let device = type == S_IFIFO ? 0 : clinux_device(entry.major, entry.minor)
    try replacing(name, parent) {
      mknodat(parent.descriptor, name, type | 0o600, device) == 0
        || FileRecord.makeDevice(name, in: parent.descriptor, type: type, number: device)
    }
    // A character device 0/0 is how overlayfs deletes; it has no owner or mode.
    if type == S_IFCHR && device == 0 { return }
    try finishNode(name, parent, setsMode: true)
  }

  private func finishNode(
    _ name: UnsafePointer<CChar>, _ parent: Level, setsMode: Bool
  ) throws {
    let entry = reader.entry
    if entry.uid != 0 || entry.gid != 0 || parent.givesGroup {
      try check(
        FileRecord.setOwner(of: name, in: parent.descriptor, entry.uid, entry.gid), "fchownat")
    }
    if setsMode {
      // Nobody else writes here, so that the name still is what was just made.
      try check(fchmodat(parent.descriptor, name, mode_t(entry.mode), 0), "fchmodat")
    }
    let time = self.time
    try check(FileRecord.setTime(of: name, in: parent.descriptor, time), "utimensat")
  }

  // MARK: Deletions

  private func markDeletion(
    _ name: UnsafePointer<CChar>, _ length: Int, _ parent: Level
  ) throws {
    if strcmp(name, TarMark.opaque) == 0 {
      return try OverlayMark.setOpaque(parent.descriptor)
    }
    // Names of AUFS' own housekeeping, which other programs pass over as well.
    if strncmp(name, ".wh..wh.", 8) == 0 { return }
    let hidden = name + 4
    guard length > 4, strcmp(hidden, ".") != 0, strcmp(hidden, "..") != 0 else {
      throw Diagnostic("'\(text)' in the archive deletes nothing that can be named")
    }
    if mknodat(parent.descriptor, hidden, S_IFCHR, 0) == 0 { return }
    guard errno == EEXIST else { throw failure("mknod") }
    // Deletions are about the layers below: what this layer has under the name stays, and a
    // directory shows nothing else.
    let descriptor = openat(
      parent.descriptor, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    try OverlayMark.setOpaque(descriptor)
  }

  // MARK: Names

  /// Splits a name into ``path`` and ``ends``; `..` may not lead out (threat 1).
  private func takeApart(_ name: UnsafeRawBufferPointer) throws {
    path.removeAll()
    ends.removeAll(keepingCapacity: true)
    guard let base = name.baseAddress, name.count <= Self.longestPath else {
      throw Diagnostic(
        "the archive holds a name of \(name.count) bytes; 1 to \(Self.longestPath) are possible")
    }
    guard !name.isEmpty, memchr(base, 0, name.count) == nil else {
      throw Diagnostic("the archive holds an entry without a name, or with a NUL in it")
    }
    var start = 0
    while start < name.count {
      let rest = name.count - start
      let slash = memchr(base + start, 0x2F, rest)
      let end = slash.map { base.distance(to: UnsafeRawPointer($0)) } ?? name.count
      let length = end - start
      defer { start = end + 1 }
      if length == 0 || (length == 1 && name[start] == 0x2E) { continue }
      if length == 2 && name[start] == 0x2E && name[start + 1] == 0x2E {
        guard ends.popLast() != nil else {
          throw Diagnostic("the archive entry '\(text)' leads out of the image")
        }
        path.truncate(to: ends.last ?? 0)
        continue
      }
      if !ends.isEmpty { path.append(byte: 0x2F) }
      path.append(base + start, length)
      ends.append(path.count)
    }
    guard ends.count <= SourceWalk.deepest else {
      throw Diagnostic(
        "the archive holds directories nested more than \(SourceWalk.deepest) deep")
    }
    _ = path.terminated
  }

  private static func components(_ path: [UInt8]) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    for part in PathBytes.parts(path) {
      if part.elementsEqual("..".utf8) {
        guard result.popLast() != nil else {
          throw Diagnostic(
            "the hard link to '\(UpperWriter.text(path))' in the archive leads out of the image")
        }
      } else {
        result.append(part)
      }
    }
    return result
  }

  /// The open directory that the entry goes to, made with its parents where it is missing.
  private func enterParent() throws -> Level {
    let wanted = ends.count - 1
    var shared = 0
    while shared < min(levels.count, wanted), levels[shared].end == ends[shared] {
      let start = shared > 0 ? ends[shared - 1] : 0
      guard memcmp(path.start + start, current.start + start, ends[shared] - start) == 0 else {
        break
      }
      shared += 1
    }
    while levels.count > shared { close(levels.removeLast().descriptor) }
    for index in shared..<wanted {
      let parent = levels.last ?? top
      let descriptor = try enter(index, parent)
      let status = try TreeAccess.status(of: descriptor)
      levels.append(
        Level(
          descriptor: descriptor, end: ends[index], givesGroup: status.st_mode & S_ISGID != 0))
    }
    current.removeAll()
    if wanted > 0 { current.append(path.start, ends[wanted - 1]) }
    return levels.last ?? top
  }

  private var top: Level { Level(descriptor: root.raw, end: 0, givesGroup: rootGivesGroup) }

  /// Opens a component of the path below the one before it.
  private func enter(_ index: Int, _ parent: Level) throws -> CInt {
    let start = index > 0 ? ends[index - 1] + 1 : 0
    return try path.withPrefix(ends[index]) { whole in
      let name = whole + start
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let descriptor = openat(parent.descriptor, name, flags)
      if descriptor >= 0 { return descriptor }
      var hides = false
      if errno != ENOENT {
        let status = try self.status(of: name, parent)
        if status.st_mode & S_IFMT == S_IFLNK {
          return try follow(UpperWriter.bytes(whole))
        }
        guard status.isWhiteout else {
          throw Diagnostic("'\(text)' in the archive lies below something that is no directory")
        }
        try remove(name, parent)
        hides = true
      }
      try check(mkdirat(parent.descriptor, name, 0o755), "mkdir")
      let made = openat(parent.descriptor, name, flags)
      guard made >= 0 else { throw failure("open") }
      // The umask must not decide.
      try check(fchmod(made, 0o755), "fchmod")
      if parent.givesGroup { try check(FileRecord.setOwner(of: made, 0, 0), "fchown") }
      if hides {
        try OverlayMark.setOpaque(made)
      } else {
        implied.insert(UpperWriter.bytes(whole))
      }
      return made
    }
  }

  /// Opens the directory that a link leads to, absolute links and `..` ending at the root.
  private func follow(_ link: [UInt8]) throws -> CInt {
    guard
      let found = try TreeAccess.openIfPresent(
        link, in: root.raw, flags: O_RDONLY | O_DIRECTORY)
    else {
      throw Diagnostic(
        "'\(text)' in the archive lies below the link '\(UpperWriter.text(link))', which leads to"
          + " no directory")
    }
    return found.take()
  }

  // MARK: Replacing

  /// Calls the body until it does not find the name taken, removing what has it.
  private func replacing(
    _ name: UnsafePointer<CChar>, _ parent: Level, _ make: () -> Bool
  ) throws {
    if make() { return }
    guard errno == EEXIST else { throw failure("create") }
    try remove(name, parent)
    guard make() else { throw failure("create") }
  }

  private func remove(_ name: UnsafePointer<CChar>, _ parent: Level) throws {
    try UpperWriter.delete(name, in: parent.descriptor, depth: 0)
    // An open directory could be the one that was removed, reached through a link: what comes next
    // is looked up again from the root. The entry's own parent stays open until then.
    for index in levels.indices { levels[index].end = -1 }
  }

  private func status(of name: UnsafePointer<CChar>, _ parent: Level) throws -> stat {
    var status = stat()
    try check(fstatat(parent.descriptor, name, &status, AT_SYMLINK_NOFOLLOW), "fstatat")
    return status
  }

  // MARK: Attributes

  private var time: timespec {
    timespec(tv_sec: Int(reader.entry.modified), tv_nsec: reader.nanoseconds)
  }

  private func setAttributes(_ descriptor: CInt) throws {
    for (name, value) in reader.attributes {
      try TreeAccess.withTerminated(name) { text in
        guard !name.contains(0), ExtendedAttributes.travels(text, .all) else { return }
        let status = value.withUnsafeBytes {
          clinux_set_attribute(descriptor, text, $0.baseAddress, $0.count)
        }
        // A file system without attributes loses them, as with every other program.
        if status != 0 && errno != ENOTSUP { throw failure("fsetxattr") }
      }
    }
  }

  private func setTimes() throws {
    var offset = 0
    func number() -> UInt64 {
      defer { offset += 8 }
      return times.start.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian
    }
    while offset < times.count {
      let length = Int(number())
      let bytes = [UInt8](UnsafeRawBufferPointer(start: times.start + offset, count: length))
      offset += length
      let time = timespec(tv_sec: Int(Int64(bitPattern: number())), tv_nsec: Int(number()))
      // A directory may have been replaced by something else later on.
      guard
        let directory = try TreeAccess.openIfPresent(
          bytes.isEmpty ? [UInt8(ascii: ".")] : bytes, in: root.raw,
          flags: O_RDONLY | O_DIRECTORY)
      else { continue }
      try check(futimens(directory.raw, [time, time]), "futimens")
    }
  }

  private func check(_ status: CInt, _ call: String) throws(SystemError) {
    guard status == 0 else { throw failure(call) }
  }

  private func failure(_ call: String) -> SystemError {
    SystemError(call, path: Array(reader.name.bytes))
  }
}
