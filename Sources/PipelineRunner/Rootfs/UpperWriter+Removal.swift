import CLinux
import Glibc
import PipelineDSL

extension UpperWriter {
  /// Takes a name out of the merged tree, with everything below it.
  ///
  /// What a layer below has there is hidden by a whiteout, which gives way to the next thing made
  /// under the name.
  func remove(_ name: [UInt8], in folder: Folder) throws {
    try makeUpper(folder)
    noteWrite()
    try TreeAccess.withTerminated(name) { text in
      try Self.delete(text, in: folder.upper, depth: 0)
      var status = stat()
      guard folder.lower >= 0,
        fstatat(folder.lower, text, &status, AT_SYMLINK_NOFOLLOW) == 0
      else { return }
      guard mknodat(folder.upper, text, S_IFCHR, 0) == 0 else {
        throw SystemError("mknod", path: name)
      }
    }
  }

  static func delete(
    _ name: UnsafePointer<CChar>, in directory: CInt, depth: Int
  ) throws {
    if unlinkat(directory, name, 0) == 0 || errno == ENOENT { return }
    guard errno == EISDIR else { throw SystemError("unlink", path: bytes(name)) }
    guard depth < SourceWalk.deepest else {
      throw Diagnostic("directories are nested more than \(SourceWalk.deepest) deep")
    }
    let descriptor = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", path: bytes(name)) }
    let listing = try DirectoryListing(owning: descriptor)
    for index in 0..<listing.count {
      try delete(listing.name(index), in: listing.raw, depth: depth + 1)
    }
    guard unlinkat(directory, name, AT_REMOVEDIR) == 0 else {
      throw SystemError("rmdir", path: bytes(name))
    }
  }

  /// Copies a file of the layers below into the upper, so that it can get another name there.
  func copyUp(_ name: [UInt8], in folder: Folder) throws {
    try TreeAccess.withTerminated(name) { text in
      var entry = SourceEntry(directory: folder.lower, name: text, status: stat())
      guard FileRecord.status(of: text, in: folder.lower, &entry.status) == 0 else {
        throw SystemError("fstatat", path: name)
      }
      let status = entry.status
      let landing = Landing(
        uid: status.st_uid, gid: status.st_gid, mode: UInt32(status.st_mode & 0o7777),
        modified: status.st_mtim)
      switch entry.type {
      case S_IFREG:
        let source = try entry.openFile()
        try makeFile(
          text, in: folder, landing: landing,
          fill: { _ = try data.copy(from: source.raw, to: $0, status: status) },
          attributes: {
            try ExtendedAttributes.copy(from: source.raw, to: $0, keeping: .all)
          })
      case S_IFLNK:
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)
        defer { buffer.deallocate() }
        buffer[try entry.readLink(into: buffer)] = 0
        guard let start = buffer.baseAddress else { return }
        try makeLink(
          text, in: folder, to: start.assumingMemoryBound(to: CChar.self), landing: landing)
      default:
        try makeNode(
          text, in: folder, type: entry.type, device: status.st_rdev, landing: landing)
      }
    }
  }
}
