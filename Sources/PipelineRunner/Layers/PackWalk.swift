import CLinux
import Glibc
import PipelineDSL

/// Walks a layer directory beside the merged view of what lies below it, and writes the tar.
///
/// The rules are those of BuildKit's differ: a directory that did not change stands in the tar only
/// as the parent of something that did, an opaque directory becomes deletions of what it hides, and
/// a deletion of nothing is left out. The root directory has no entry.
final class PackWalk {
  /// A directory on the way, written as soon as something in it is.
  private struct Level {
    var entry: TarEntry
    var records: [TarWriter.Record]
    var pathLength: Int
    var isWritten: Bool
  }

  private let writer: LayerBlobWriter
  private let tar: TarWriter
  private let epoch: Int64?
  private let path = ByteBuffer()
  private var levels: [Level] = []
  /// The first name of each file that has several.
  private var firstNames: [UInt64: [CChar]] = [:]
  private let link = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)
  private let comparison = FileComparison()
  private let isExact: Bool
  /// Whether everything could be written; a socket cannot.
  private(set) var isComplete = true

  /// Creates a walk.
  ///
  /// With `isExact` the tar says all that the directory itself holds, whatever lies below it:
  /// unpacking gives the same directory again. The walk is then over no lower one.
  init(_ writer: LayerBlobWriter, epoch: Int?, isExact: Bool = false) {
    self.writer = writer
    self.isExact = isExact
    tar = TarWriter(writer)
    self.epoch = epoch.map(Int64.init)
  }

  deinit { link.deallocate() }

  func run(_ top: consuming OwnedDescriptor, over lower: consuming OwnedDescriptor?) throws {
    let lowerRaw = lower?.raw ?? -1
    if isExact {
      let entry = entry(.directory, try FileRecord.status(of: top.raw))
      try "./".withCString { name in
        try tar.write(entry, name: name, extra: Self.records(of: top.raw))
      }
    }
    try walk(DirectoryListing(owning: top.take()), lower: lowerRaw, hides: false)
    withExtendedLifetime(lower) {}
  }

  /// Writes what a directory holds.
  ///
  /// `hides` is set where nothing of the lower directory shows.
  private func walk(_ listing: DirectoryListing, lower: CInt, hides: Bool) throws {
    guard levels.count < SourceWalk.deepest else {
      throw Diagnostic("a layer's directories are nested more than \(SourceWalk.deepest) deep")
    }
    // Deletions of what an opaque directory hides stand where their names sort.
    let hidden = hides && lower >= 0 ? try SourceWalk.list(lower) : nil
    var next = 0
    for index in 0..<listing.count {
      let name = listing.name(index)
      while let hidden, next < hidden.count {
        let order = strcmp(hidden.name(next), name)
        if order >= 0 {
          if order == 0 { next += 1 }
          break
        }
        try delete(hidden.name(next), lower: lower)
        next += 1
      }
      try visit(name, listing, lower: lower, hides: hides)
    }
    while let hidden, next < hidden.count {
      try delete(hidden.name(next), lower: lower)
      next += 1
    }
  }

  private func visit(
    _ name: UnsafePointer<CChar>, _ listing: DirectoryListing, lower: CInt, hides: Bool
  ) throws {
    var status = stat()
    guard FileRecord.status(of: name, in: listing.raw, &status) == 0 else {
      throw SystemError("fstatat", path: pathBytes(name))
    }
    if status.isWhiteout { return try delete(name, lower: lower) }
    if strncmp(name, TarMark.whiteout, 4) == 0 {
      throw Diagnostic(
        "'/\(UpperWriter.text(pathBytes(name)))' cannot be put into an image: names that start with"
          + " '.wh.' mean deletions there", help: "give the file another name")
    }
    var lowerStatus = stat()
    let isBelow =
      lower >= 0 && FileRecord.status(of: name, in: lower, &lowerStatus) == 0
      && !lowerStatus.isWhiteout
    let below = isBelow ? lowerStatus : nil
    let length = path.count
    push(name)
    defer { path.truncate(to: length) }
    if let first = firstNames[UInt64(status.st_ino)], status.st_mode & S_IFMT != S_IFDIR {
      return try first.withUnsafeBufferPointer { buffer in
        try write(self.entry(.hardLink, status), link: buffer.baseAddress)
      }
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: try directory(name, status, listing, lower: lower, below, hides: hides)
    case S_IFREG: try file(name, status, listing, lower: lower, below)
    case S_IFLNK:
      let entry = SourceEntry(directory: listing.raw, name: name, status: status)
      let size = try entry.readLink(into: link)
      link[size] = 0
      guard let target = link.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
      if try isSameLink(target, size, name, status, lower: lower, below) { return }
      remember(status)
      try write(self.entry(.link, status), link: target)
    // A socket is of no use without the process that made it; no other builder keeps them.
    case S_IFSOCK: isComplete = false
    default:
      if let below, status.hasSameOwner(as: below), below.st_rdev == status.st_rdev,
        status.st_nlink == 1
      {
        return
      }
      remember(status)
      let kind: TarEntry.Kind =
        switch status.st_mode & S_IFMT {
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        default: .fifo
        }
      var entry = self.entry(kind, status)
      entry.major = clinux_major(status.st_rdev)
      entry.minor = clinux_minor(status.st_rdev)
      try write(entry)
    }
  }

  // MARK: Kinds of entries

  private func directory(
    _ name: UnsafePointer<CChar>, _ status: stat, _ listing: DirectoryListing, lower: CInt,
    _ below: stat?, hides: Bool
  ) throws {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let raw = openat(listing.raw, name, flags)
    guard raw >= 0 else { throw SystemError("open", path: pathBytes(name)) }
    let child = try DirectoryListing(owning: raw)
    let records = try Self.records(of: raw)
    let isMerged = below.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    let lowerRaw = isMerged ? openat(lower, name, flags) : -1
    guard !isMerged || lowerRaw >= 0 else { throw SystemError("open", path: pathBytes(name)) }
    defer { if lowerRaw >= 0 { close(lowerRaw) } }
    path.append(byte: 0x2F)
    levels.append(
      Level(
        entry: entry(.directory, status), records: records, pathLength: path.count,
        isWritten: false))
    var isSame = false
    if isMerged, let below, status.hasSameOwner(as: below) {
      isSame = Self.areEqual(records, try Self.records(of: lowerRaw))
    }
    if !isSame { try writeLevels() }
    if isExact, OverlayMark.isOpaque(raw) {
      let length = path.count
      path.append(TarMark.opaque, strlen(TarMark.opaque))
      try write(TarEntry(kind: .file))
      path.truncate(to: length)
    }
    try walk(child, lower: lowerRaw, hides: isMerged && (hides || OverlayMark.isOpaque(raw)))
    levels.removeLast()
  }

  private func file(
    _ name: UnsafePointer<CChar>, _ status: stat, _ listing: DirectoryListing, lower: CInt,
    _ below: stat?
  ) throws {
    let raw = openat(listing.raw, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", path: pathBytes(name)) }
    defer { close(raw) }
    let records = try Self.records(of: raw)
    if status.st_nlink == 1, let below, status.isSameFile(as: below) {
      // Moved away and back, or written again: what stands below is the same. Its bytes are
      // compared, as two files may well have one size and time (cache.md K8).
      let other = openat(lower, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard other >= 0 else { throw SystemError("open", path: pathBytes(name)) }
      defer { close(other) }
      if Self.areEqual(records, try Self.records(of: other)), try comparison.areEqual(raw, other) {
        return
      }
    }
    remember(status)
    var entry = self.entry(.file, status)
    entry.size = Int64(status.st_size)
    try write(entry, records: records)
    guard try writer.append(contentsOf: raw, Int(status.st_size)) else {
      throw SystemError("read", path: pathBytes(name), code: EIO)
    }
  }

  /// Keeps the name of a file that has others, which are to become links to it.
  private func remember(_ status: stat) {
    guard status.st_nlink > 1 else { return }
    firstNames[UInt64(status.st_ino)] = path.bytes.map { CChar(bitPattern: $0) } + [0]
  }

  private func isSameLink(
    _ target: UnsafePointer<CChar>, _ size: Int, _ name: UnsafePointer<CChar>, _ status: stat,
    lower: CInt, _ below: stat?
  ) throws -> Bool {
    guard let below, status.isSameFile(as: below), status.st_nlink == 1 else { return false }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)
    defer { buffer.deallocate() }
    let other = SourceEntry(directory: lower, name: name, status: below)
    guard try other.readLink(into: buffer) == size, let start = buffer.baseAddress else {
      return false
    }
    return memcmp(start, target, size) == 0
  }

  private func delete(_ name: UnsafePointer<CChar>, lower: CInt) throws {
    var status = stat()
    let isBelow =
      lower >= 0 && fstatat(lower, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !status.isWhiteout
    guard isBelow || isExact else { return }
    let length = path.count
    defer { path.truncate(to: length) }
    if length > 0 { try writeLevels() }
    path.append(TarMark.whiteout, 4)
    path.append(name, strlen(name))
    try write(TarEntry(kind: .file))
  }

  // MARK: Writing

  private func write(
    _ entry: TarEntry, link: UnsafePointer<CChar>? = nil, records: [TarWriter.Record] = []
  ) throws {
    try writeLevels()
    try tar.write(entry, name: path.terminated, link: link, extra: records)
  }

  /// Writes the directories that lead here and do not stand in the tar yet.
  private func writeLevels() throws {
    guard let last = levels.last, !last.isWritten else { return }
    for index in levels.indices where !levels[index].isWritten {
      levels[index].isWritten = true
      let level = levels[index]
      try path.withPrefix(level.pathLength) { name in
        try tar.write(level.entry, name: name, extra: level.records)
      }
    }
  }

  private func entry(_ kind: TarEntry.Kind, _ status: stat) -> TarEntry {
    var modified = Int64(status.st_mtim.tv_sec)
    if let epoch { modified = min(modified, epoch) }
    return TarEntry(
      kind: kind, mode: UInt32(status.st_mode & 0o7777), uid: status.st_uid, gid: status.st_gid,
      modified: modified)
  }

  private func push(_ name: UnsafePointer<CChar>) {
    path.append(name, strlen(name))
  }

  private func pathBytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
    Array(path.bytes) + UpperWriter.bytes(name)
  }

  private static let attributePrefix = Array("SCHILY.xattr.".utf8)

  private static func records(of file: CInt) throws(SystemError) -> [TarWriter.Record] {
    guard ExtendedAttributes.hasAny(file) else { return [] }
    var records: [TarWriter.Record] = []
    try ExtendedAttributes.forEach(of: file, .all) { name, value in
      records.append((attributePrefix + UpperWriter.bytes(name), Array(value)))
    }
    return records
  }

  private static func areEqual(_ left: [TarWriter.Record], _ right: [TarWriter.Record]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { $0 == $1 }
  }
}

extension stat {
  /// Whether type, mode and owner are those of another file.
  fileprivate func hasSameOwner(as other: stat) -> Bool {
    st_mode == other.st_mode && st_uid == other.st_uid && st_gid == other.st_gid
  }

  /// Whether size and time are the same as well.
  fileprivate func isSameFile(as other: stat) -> Bool {
    hasSameOwner(as: other) && st_size == other.st_size
      && st_mtim.tv_sec == other.st_mtim.tv_sec && st_mtim.tv_nsec == other.st_mtim.tv_nsec
  }
}
