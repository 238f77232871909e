import CLinux
import Glibc
import PipelineDSL

extension UpperWriter {
  /// Where a file that was made has its first name, for hard links to it.
  struct Place {
    var folder: Folder
    var name: [UInt8]
  }

  /// Makes a regular file and lets the body fill it.
  func makeFile(
    _ name: UnsafePointer<CChar>, in folder: Folder, landing: Landing,
    fill: (CInt) throws -> Void, attributes: (CInt) throws -> Void
  ) throws {
    try prepare(folder, for: name)
    var descriptor: CInt = -1
    try replacing(name, in: folder) {
      descriptor = openat(
        folder.upper, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
      return descriptor >= 0
    }
    let file = OwnedDescriptor(owning: descriptor)
    try fill(file.raw)
    // Ours already, unless the directory gives its own group away.
    if landing.uid != 0 || landing.gid != 0 || folder.givesGroup {
      // Before mode and capabilities: a change of owner takes both away.
      guard setOwner(file.raw, landing.uid, landing.gid) else { throw SystemError("fchown") }
    }
    try attributes(file.raw)
    guard fchmod(file.raw, mode_t(landing.mode)) == 0,
      futimens(file.raw, [landing.modified, landing.modified]) == 0
    else { throw SystemError("fchmod") }
    try file.close()
  }

  /// Makes a symbolic link; its target is text that nobody resolves.
  func makeLink(
    _ name: UnsafePointer<CChar>, in folder: Folder, to target: UnsafePointer<CChar>,
    landing: Landing
  ) throws {
    try prepare(folder, for: name)
    try replacing(name, in: folder) { symlinkat(target, folder.upper, name) == 0 }
    try finish(name, in: folder, landing: landing, setsMode: false)
  }

  /// Makes a device, fifo, socket or empty file.
  func makeNode(
    _ name: UnsafePointer<CChar>, in folder: Folder, type: mode_t, device: dev_t, landing: Landing
  ) throws {
    if type == S_IFCHR && device == 0 {
      // In a layer this would delete a name instead of being a device.
      throw Diagnostic(
        "'\(text(folder, Self.bytes(name)))' is a character device 0/0, which no layer can hold")
    }
    // Nobody can make one without root, and what stands for it in a layer is of no use elsewhere.
    if !recordsOwners && FileRecord.keepsDevices && (type == S_IFCHR || type == S_IFBLK) { return }
    try prepare(folder, for: name)
    try replacing(name, in: folder) {
      mknodat(folder.upper, name, type | 0o600, device) == 0
        || recordsOwners
          && FileRecord.makeDevice(name, in: folder.upper, type: type, number: device)
    }
    try finish(name, in: folder, landing: landing, setsMode: true)
  }

  /// Makes another name of a file that stands in the upper directory.
  ///
  /// A `landing` is what the file, under both names, is to look like from now on.
  func makeHardLink(
    _ name: UnsafePointer<CChar>, in folder: Folder, to place: Place, landing: Landing? = nil
  ) throws {
    try prepare(folder, for: name)
    try TreeAccess.withTerminated(place.name) { existing in
      try replacing(name, in: folder) {
        linkat(place.folder.upper, existing, folder.upper, name, 0) == 0
      }
    }
    guard let landing else { return }
    var status = stat()
    guard fstatat(folder.upper, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw SystemError("fstatat", path: Self.bytes(name))
    }
    try finish(
      name, in: folder, landing: landing, setsMode: status.st_mode & S_IFMT != S_IFLNK)
  }

  private func finish(
    _ name: UnsafePointer<CChar>, in folder: Folder, landing: Landing, setsMode: Bool
  ) throws(SystemError) {
    guard
      FileRecord.keepsOwners && !recordsOwners
        || FileRecord.setOwner(of: name, in: folder.upper, landing.uid, landing.gid) == 0
    else { throw SystemError("fchownat") }
    // Nobody else writes here, so that the name still is what was just made.
    if setsMode, fchmodat(folder.upper, name, mode_t(landing.mode), 0) != 0 {
      throw SystemError("fchmodat")
    }
    guard FileRecord.setTime(of: name, in: folder.upper, landing.modified) == 0 else {
      throw SystemError("utimensat")
    }
  }

  /// Makes sure that something other than a directory may be put under a name (C3).
  private func prepare(_ folder: Folder, for name: UnsafePointer<CChar>) throws {
    try makeUpper(folder)
    noteWrite()
    if folder.lower < 0 { return }
    if case .directory = try occupant(of: name, in: folder) {
      throw overDirectory(name, in: folder)
    }
  }

  /// Calls the body until it does not find the name taken, unlinking what has it.
  private func replacing(
    _ name: UnsafePointer<CChar>, in folder: Folder, _ make: () -> Bool
  ) throws {
    if make() { return }
    guard errno == EEXIST else { throw SystemError("create", path: Self.bytes(name)) }
    guard unlinkat(folder.upper, name, 0) == 0 else {
      if errno == EISDIR { throw overDirectory(name, in: folder) }
      throw SystemError("unlink", path: Self.bytes(name))
    }
    guard make() else { throw SystemError("create", path: Self.bytes(name)) }
  }

  private func overDirectory(_ name: UnsafePointer<CChar>, in folder: Folder) -> Diagnostic {
    Diagnostic(
      "'\(text(folder, Self.bytes(name)))' is a directory in the image and cannot be replaced "
        + "by a file",
      help: "copy to another path, or remove the directory in an earlier step")
  }

  /// A name as bytes.
  static func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }
}
