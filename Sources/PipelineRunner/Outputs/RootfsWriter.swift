import Glibc
import PipelineDSL
import SystemPackage

/// Writes the root file system of an image, all layers merged: as one tar, or as a directory.
struct RootfsWriter {
  /// Bottom first; every layer is unpacked.
  let root: RootTree
  let empty: FilePath
  let epoch: Int?

  // MARK: - Tar

  /// Writes the tar of the merged view; owners, modes and links are the image's.
  func write(tar destination: OutputSpecification.Destination, scratch: FilePath) throws {
    let view = try DetachedOverlay.readOnly(root, empty: empty)
    // The dot makes the kernel's link to the descriptor a directory on the way, not a last name.
    try Self.write(
      tar: destination, of: FilePath("/proc/self/fd/\(view.raw)/."), empty: empty, epoch: epoch,
      scratch: scratch)
  }

  /// Writes the tar of a directory.
  static func write(
    tar destination: OutputSpecification.Destination, of directory: FilePath, empty: FilePath,
    epoch: Int?, scratch: FilePath
  ) throws {
    // A tar that goes down a pipe is made in the store first: packing wants a file of its own.
    let file = scratch.appending("rootfs.tar")
    _ = try LayerPacker(empty: empty).pack(
      layer: directory, below: .empty, epoch: epoch, compression: .none, into: file)
    try OutputFile.write(destination) { target in
      let raw = file.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
      guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
      let source = OwnedDescriptor(owning: raw)
      let size = Int64(try TreeAccess.status(of: source.raw).st_size)
      try StreamCopy.copy(from: source.raw, to: target, count: size)
    }
  }

  // MARK: - Directory

  /// Writes the merged view as a directory.
  ///
  /// It is made whole beside its place. A directory that is there already is filled: what the image
  /// has replaces what was there, what it has not is left alone, and no link in it is followed
  /// (threat 37).
  func write(directory: FilePath) throws {
    let target = FilePath(directory.string)
    let parent = target.removingLastComponent()
    let folder = parent.isEmpty ? FilePath(".") : parent
    try DirectoryTree.make(folder, mode: 0o755)
    var status = stat()
    let exists = target.withPlatformString { stat($0, &status) } == 0
    if exists, status.st_mode & S_IFMT != S_IFDIR {
      throw Diagnostic(
        "'\(directory)' is a file, and the output is a directory",
        help: "remove it, or give another directory")
    }
    // A mount point is on another file system than its parent; what is renamed must be inside.
    let place = exists ? target : folder
    let staging = Workspace(path: place.appending(".pipeline-\(Store.uniqueName())"))
    try Call.check("mkdir", staging.path) { mkdir($0, 0o700) }
    defer { try? DirectoryTree.remove(staging.path) }
    for path in [staging.upper, staging.work, staging.scratch] {
      try Call.check("mkdir", path) { mkdir($0, 0o755) }
      _ = path.withPlatformString { chmod($0, 0o755) }
    }
    let request = CopyRequest(
      root: .empty, sources: [.tree(root, path: Array("/".utf8))], destination: Array("/".utf8),
      workingDirectory: Array("/".utf8))
    try Copier(empty: empty, recordsOwners: false).copy(request, into: staging)
    if exists {
      let source = try TreeAccess.openDirectory(staging.upper)
      let destination = try TreeAccess.openDirectory(target)
      let trash = try TreeAccess.openDirectory(staging.scratch)
      try DirectoryMerge(trash: trash.raw).merge(source.raw, into: destination.raw)
    } else {
      try Call.rename(staging.upper, to: target)
    }
  }
}

/// Moves the content of one directory into another by rename; both are on one file system.
struct DirectoryMerge {
  /// Where what is replaced goes.
  let trash: CInt

  /// Moves every entry; directories that stand on both sides are merged, with the attributes of the
  /// source.
  func merge(_ source: CInt, into target: CInt) throws {
    for name in try Self.names(source) {
      try TreeAccess.withTerminated(name) { name in
        var status = stat()
        guard fstatat(source, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
          throw SystemError("stat", path: UpperWriter.bytes(name))
        }
        var there = stat()
        if fstatat(target, name, &there, AT_SYMLINK_NOFOLLOW) == 0 {
          let isDirectory = status.st_mode & S_IFMT == S_IFDIR
          let wasDirectory = there.st_mode & S_IFMT == S_IFDIR
          if isDirectory && wasDirectory {
            try mergeDirectory(name, source, target, status)
            return
          }
          if isDirectory || wasDirectory { try discard(name, in: target) }
        }
        guard renameat(source, name, target, name) == 0 else {
          throw SystemError("rename", path: UpperWriter.bytes(name))
        }
      }
    }
  }

  private func mergeDirectory(
    _ name: UnsafePointer<CChar>, _ source: CInt, _ target: CInt, _ status: stat
  ) throws {
    let inner = try Self.open(name, in: source)
    let outer = try Self.open(name, in: target)
    try merge(inner.raw, into: outer.raw)
    guard fchown(outer.raw, status.st_uid, status.st_gid) == 0,
      fchmod(outer.raw, status.st_mode & 0o7777) == 0,
      futimens(outer.raw, [status.st_mtim, status.st_mtim]) == 0
    else { throw SystemError("chmod", path: UpperWriter.bytes(name)) }
  }

  private func discard(_ name: UnsafePointer<CChar>, in target: CInt) throws {
    let place = Array(Store.uniqueName().utf8CString)
    guard renameat(target, name, trash, place) == 0 else {
      throw SystemError("rename", path: UpperWriter.bytes(name))
    }
  }

  private static func open(
    _ name: UnsafePointer<CChar>, in folder: CInt
  ) throws(SystemError) -> OwnedDescriptor {
    let raw = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", path: UpperWriter.bytes(name)) }
    return OwnedDescriptor(owning: raw)
  }

  /// The names in a directory, read to the end before anything is moved.
  private static func names(_ folder: CInt) throws(SystemError) -> [[UInt8]] {
    let raw = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard raw >= 0, let stream = fdopendir(raw) else { throw SystemError("open") }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { UpperWriter.bytes($0) }
      }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
    return names
  }
}
