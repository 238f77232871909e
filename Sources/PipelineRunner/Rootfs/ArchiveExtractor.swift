import CArchive
import CLinux
import Glibc
import PipelineDSL

/// Unpacks an archive of `ADD` into a directory of the upper (C12, threats 1 to 8).
///
/// Names are taken apart here and walked one by one below the directory: an entry that leads out of
/// it is an error, and a link on the way is followed as if the directory were the root.
struct ArchiveExtractor {
  private let writer: UpperWriter
  private let top: UpperWriter.Folder
  private let owner: (uid: UInt32, gid: UInt32)?
  /// Times of directories, set when nothing is written into them any more.
  private var times: [(path: [UInt8], time: timespec)] = []
  /// The directory of the last entry, as most entries follow others of the same one.
  private var recent: (path: [UInt8], folder: UpperWriter.Folder)?

  /// Prepares to unpack; `owner` takes the place of what the archive says.
  init(
    writer: UpperWriter, into folder: UpperWriter.Folder, owner: (uid: UInt32, gid: UInt32)?
  ) {
    self.writer = writer
    top = folder
    self.owner = owner
  }

  /// Whether a file's content decompresses to a tar archive with an entry.
  static func isArchive(_ descriptor: CInt) throws -> Bool {
    do {
      return try ArchiveReader(descriptor).next() != nil
    } catch is Diagnostic {
      return false
    }
  }

  /// Unpacks everything; the last of several entries with one name wins.
  mutating func extract(_ descriptor: CInt) throws {
    // Directories that the archive leaves out belong to root whatever --chown says.
    writer.defaults = UpperWriter.Defaults()
    let reader = try ArchiveReader(descriptor)
    while let entry = try reader.next() { try extract(entry, reader) }
    for (path, time) in times {
      guard case .folder(let folder) = try writer.resolve(path, from: top), folder.upper >= 0
      else { continue }
      guard futimens(folder.upper, [time, time]) == 0 else { throw SystemError("futimens") }
    }
  }

  private mutating func extract(_ entry: OpaquePointer, _ reader: ArchiveReader) throws {
    guard let text = archive_entry_pathname(entry) else {
      throw Diagnostic("the archive holds a name that is not valid UTF-8 where it has to be")
    }
    let components = try Self.components(UpperWriter.bytes(text))
    let linkText = archive_entry_hardlink(entry)
    let type = linkText == nil ? archive_entry_filetype(entry) : S_IFREG
    guard let name = components.last else {
      // `./` of a whole directory; its mode is not the destination's (C6).
      if type == S_IFDIR { return }
      throw Diagnostic("the archive holds an entry without a name")
    }
    let isNode = type == S_IFIFO || type == S_IFCHR || type == S_IFBLK
    guard type == S_IFREG || type == S_IFDIR || type == S_IFLNK || isNode else { return }
    let path = PathBytes.join(components[...])
    let folder = try parent(components)
    let occupant = try writer.occupant(of: name, in: folder)
    if case .directory = occupant, type == S_IFDIR {
      try finishDirectory(writer.enterDirectory(name, in: folder), entry, path)
      return
    }
    if case .nothing = occupant {
    } else {
      try writer.remove(name, in: folder)
      recent = nil
    }
    try TreeAccess.withTerminated(name) { name in
      if let linkText {
        // What the link's own header says holds for the file, as the last word on it.
        try link(
          to: UpperWriter.bytes(linkText), as: name, in: folder, landing: landing(of: entry))
      } else if type == S_IFDIR {
        let made = try writer.makeBareDirectory(UpperWriter.bytes(name), in: folder)
        try finishDirectory(made, entry, path)
      } else if type == S_IFLNK {
        guard let target = archive_entry_symlink(entry) else {
          throw Diagnostic("the archive holds a link to a name that is not valid UTF-8")
        }
        try writer.makeLink(name, in: folder, to: target, landing: landing(of: entry))
        recent = nil
      } else if isNode {
        try writer.makeNode(
          name, in: folder, type: type, device: archive_entry_rdev(entry),
          landing: landing(of: entry))
      } else {
        try writer.makeFile(
          name, in: folder, landing: landing(of: entry),
          fill: { target in try reader.write(to: target) },
          attributes: { target in try Self.setAttributes(of: entry, on: target) })
      }
    }
  }

  private mutating func parent(_ components: [[UInt8]]) throws -> UpperWriter.Folder {
    let path = PathBytes.join(components.dropLast())
    if let recent, recent.path == path { return recent.folder }
    let folder = try writer.makeDirectories(path, from: top)
    recent = (path, folder)
    return folder
  }

  private mutating func finishDirectory(
    _ folder: UpperWriter.Folder, _ entry: OpaquePointer, _ path: [UInt8]
  ) throws {
    let landing = try landing(of: entry)
    try writer.finish(folder, landing: landing)
    try Self.setAttributes(of: entry, on: folder.upper)
    times.append((path, landing.modified))
  }

  private func link(
    to target: [UInt8], as name: UnsafePointer<CChar>, in folder: UpperWriter.Folder,
    landing: Landing
  ) throws {
    let components = try Self.components(target)
    let missing = Diagnostic(
      "the archive holds a hard link to '\(UpperWriter.text(target))', which is no file in it")
    guard let last = components.last,
      case .folder(let place) = try writer.resolve(
        PathBytes.join(components.dropLast()), from: top),
      case .other(_, let isUpper) = try writer.occupant(of: last, in: place)
    else { throw missing }
    // A link cannot reach from the upper into a layer below it.
    if !isUpper { try writer.copyUp(last, in: place) }
    try writer.makeHardLink(
      name, in: folder, to: UpperWriter.Place(folder: place, name: last), landing: landing)
  }

  /// Takes a name apart; `..` may not lead out (threat 1).
  private static func components(_ path: [UInt8]) throws -> [[UInt8]] {
    guard path.count <= 4096 else {
      throw Diagnostic("the archive holds a name of \(path.count) bytes; 4096 are possible")
    }
    var result: [[UInt8]] = []
    for part in PathBytes.parts(path) {
      if part.elementsEqual("..".utf8) {
        guard result.popLast() != nil else {
          throw Diagnostic(
            "the archive entry '\(UpperWriter.text(path))' leads out of the destination")
        }
      } else {
        result.append(part)
      }
    }
    return result
  }

  private func landing(of entry: OpaquePointer) throws -> Landing {
    let (uid, gid) = (archive_entry_uid(entry), archive_entry_gid(entry))
    guard let uid = UInt32(exactly: uid), let gid = UInt32(exactly: gid), uid != .max, gid != .max
    else { throw Diagnostic("the archive holds the owner \(uid):\(gid), which is no id") }
    let seconds = archive_entry_mtime(entry)
    // What lies before 1970 becomes 1970, as BuildKit has it.
    let time =
      seconds < 0
      ? timespec(tv_sec: 0, tv_nsec: 0)
      : timespec(tv_sec: seconds, tv_nsec: Int(archive_entry_mtime_nsec(entry)))
    return Landing(
      uid: owner?.uid ?? uid, gid: owner?.gid ?? gid,
      mode: UInt32(archive_entry_perm(entry)) & 0o7777, modified: time)
  }

  private static func setAttributes(of entry: OpaquePointer, on target: CInt) throws {
    archive_entry_xattr_reset(entry)
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK {
      guard let name, ExtendedAttributes.travels(name, .all) else { continue }
      if clinux_set_attribute(target, name, value, size) != 0 && errno != ENOTSUP {
        throw SystemError("fsetxattr", path: UpperWriter.bytes(name))
      }
    }
  }
}
