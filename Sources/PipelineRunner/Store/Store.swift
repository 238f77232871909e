import CLinux
import FoundationEssentials
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// The content-addressed store under the state directory: layers, blobs, records and caches.
///
/// Everything in it is written to a temporary name on the same file system and then renamed, so a
/// process killed at any point leaves a whole entry or none. Claims on entries are byte-range locks
/// that the kernel drops when a process dies.
///
/// ```
/// format                what wrote this store
/// layers/HEX/fs         an unpacked layer in overlayfs-native form
/// layers/HEX/info       its size and the boot that wrote it
/// blobs/HEX             a packed layer, config or manifest
/// records/HH/HEX        what an operation's key led to
/// packs/HH/HEX          which blob a layer was packed as
/// caches/HEX            cache mounts
/// images/HEX            named images
/// sandbox               directories that the sandboxes of all commands share
/// work/NAME             steps under way; NAME.lock is locked while their process lives
/// leases/NAME           what a process uses, locked while it lives
/// gate                  locked shared to use something, alone to remove something
/// ```
final class Store: Sendable {
  let path: FilePath
  /// The path as text, for what is done with each of many entries: a path of swift-system looks at
  /// every byte whenever it is put together, which a program that is not optimized feels.
  let text: String
  /// Identifies this run of the kernel: what was written in another may not have reached the disk.
  let boot: String

  /// A directory with nothing in it, for overlays that need one layer more.
  var empty: FilePath { path.appending("empty") }

  /// What runs commands in workspaces of this store.
  var sandbox: Sandbox { Sandbox(empty: empty, places: places) }

  private var places: SandboxPlaces { SandboxPlaces(path: path.appending("sandbox")) }

  let space = SpaceGuard()

  /// What this process uses; made with the first use.
  private let lease = Mutex<Lease?>(nil)

  private static let formatName = "pipeline store "
  private static let formatVersion = 1
  private static let folders = [
    "empty", "layers", "blobs", "records", "packs", "caches", "images", "work", "leases",
  ]

  /// Opens the store at a path, making it where there is none.
  ///
  /// - Throws: a diagnostic when the directory cannot be used, or another format is in it.
  init(at path: FilePath) throws {
    self.path = path
    text = path.string
    boot = Self.readBoot()
    do {
      try DirectoryTree.make(path, mode: 0o711)
      for folder in Self.folders { try DirectoryTree.make(path.appending(folder), mode: 0o755) }
      let marker = path.appending("format")
      if let found = try FileContent.readIfPresent(marker) {
        try Self.checkFormat(String(decoding: found.prefix(40), as: UTF8.self).trimmedLine, path)
      } else {
        try FileContent.replace(
          marker, with: Array("\(Self.formatName)\(Self.formatVersion)\n".utf8))
      }
      try places.make()
      if FileRecord.keepsOwners, try !FileRecord.isPossible(in: path) {
        throw Diagnostic(
          "the file system of the state directory '\(path)' cannot keep the owners of files",
          help: "give a directory on ext4, XFS or Btrfs with --state-dir, or have subordinate ids")
      }
    } catch let error as SystemError {
      throw Self.unusable(path, error)
    }
    try sweep()
  }

  private static func checkFormat(_ found: String, _ path: FilePath) throws(Diagnostic) {
    let version = found.hasPrefix(formatName) ? Int(found.dropFirst(formatName.count)) : nil
    if version == formatVersion { return }
    guard let version else {
      throw Diagnostic(
        "the store at '\(path)' has another format: '\(found)'",
        help: "use the program that wrote it, or give another --state-dir")
    }
    throw Diagnostic(
      "the store at '\(path)' has format \(version); this version reads format \(formatVersion)",
      help: version > formatVersion
        ? "a newer version wrote it: update this one, or give another --state-dir"
        : "it is a cache of an older version: remove the directory, or give another --state-dir")
  }

  private static func unusable(_ path: FilePath, _ error: SystemError) -> Diagnostic {
    var diagnostic = error.diagnostic("the state directory '\(path)' cannot be used")
    if error.code == EACCES || error.code == EPERM {
      diagnostic.help = "give a directory of your own with --state-dir or PIPELINE_STATE_DIR"
    }
    return diagnostic
  }

  private static func readBoot() -> String {
    let bytes = try? FileContent.read("/proc/sys/kernel/random/boot_id")
    return String(decoding: bytes ?? [], as: UTF8.self).trimmedLine
  }

  // MARK: - Use

  /// Says that this process uses an entry from now on: it stays until the process ends, if it is
  /// there.
  func hold(_ entry: StoreEntry) throws(SystemError) {
    let lease = try lease.withLock { lease throws(SystemError) -> Lease in
      if let lease { return lease }
      let new = try Lease(in: path.appending("leases"), gate: path.appending("gate"))
      lease = new
      return new
    }
    guard try lease.hold(entry) else { return }
    // The order of last use decides what is removed first; a mark that cannot be set loses nothing.
    utimensat(AT_FDCWD, mark(of: entry), [lease.start, lease.start], AT_SYMLINK_NOFOLLOW)
  }

  // MARK: - Layers

  /// The directory of a layer, whether or not it is there.
  func directory(of layer: LayerID) -> FilePath {
    FilePath("\(text)/layers/\(layer.digest.hex)/fs")
  }

  /// What is known of a layer that is present; nil where it is absent.
  func info(of layer: LayerID) throws -> LayerInfo? {
    try CheckedFile.read(LayerInfo.self, from: "\(text)/layers/\(layer.digest.hex)/info")
  }

  /// Makes a workspace's upper directory the content of a layer.
  ///
  /// A layer that is already there is kept: equal ids mean equal content. The title is what a
  /// person knows it by when it is removed.
  func adopt(_ workspace: Workspace, as layer: LayerID, title: String = "") throws {
    try adopt(workspace, as: layer, LayerContent(of: workspace.upper), title: title)
  }

  /// Makes a workspace's upper directory a layer named by its content, which was just found out.
  func adopt(_ workspace: Workspace, as content: LayerContent, title: String = "") throws {
    try adopt(workspace, as: content.id, content, title: title)
  }

  private func adopt(
    _ workspace: Workspace, as layer: LayerID, _ content: LayerContent, title: String
  ) throws {
    try hold(.layer(layer))
    if try info(of: layer) != nil { return }
    try publish(workspace, as: layer, content, title: title)
  }

  /// Adds a layer by letting `fill` write it into an empty directory.
  func addLayer(_ layer: LayerID, fill: (FilePath) throws -> Void) throws {
    if try verify(layer) { return }
    let workspace = try makeWorkspace(below: .empty)
    defer { remove(workspace) }
    try fill(workspace.upper)
    try replace(layer, with: workspace)
  }

  /// Makes a workspace's upper directory the content of a base image's layer.
  func replace(_ layer: LayerID, with workspace: Workspace) throws {
    // Another process may have made it meanwhile, and be at work on it.
    if try verify(layer) { return }
    // Whatever is there has no description.
    try discard(layer)
    try adopt(workspace, as: layer, title: "layer of a base image")
  }

  /// Whether a layer is there and whole.
  ///
  /// After a restart of the machine its content is hashed once: nothing is flushed while building,
  /// so a power cut may have taken bytes from it.
  func verify(_ layer: LayerID) throws -> Bool {
    try hold(.layer(layer))
    guard var info = try info(of: layer) else { return false }
    if info.boot == boot { return true }
    let found = try? LayerContent.id(of: directory(of: layer)).digest
    guard let found, found == info.content ?? (info.isBase ? nil : layer.digest) else {
      try discard(layer)
      return false
    }
    info.boot = boot
    try CheckedFile.write(
      info, to: path.appending("layers").appending(layer.digest.hex).appending("info"))
    return true
  }

  private func publish(
    _ workspace: Workspace, as layer: LayerID, _ content: LayerContent, title: String
  ) throws {
    let staging = workspace.path.appending("layer")
    try Call.check("mkdir", staging) { mkdir($0, 0o755) }
    try Call.rename(workspace.upper, to: staging.appending("fs"))
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let isBase = content.id != layer
    let info = LayerInfo(
      size: content.bytes, entries: content.entries, boot: boot, title: title, isBase: isBase,
      created: Double(now.tv_sec) + Double(now.tv_nsec) / 1e9,
      content: isBase ? content.id.digest : nil)
    try CheckedFile.write(info, to: staging.appending("info"))
    let target = path.appending("layers").appending(layer.digest.hex)
    do {
      try Call.rename(staging, to: target)
    } catch {
      // Another process may have made the same layer first; both are the same content.
      guard error.code == ENOTEMPTY || error.code == EEXIST else { throw error }
    }
  }

  private func discard(_ layer: LayerID) throws {
    if let trash = try moveToTrash(.layer(layer)) { Self.delete(trash) }
  }

  /// Takes an entry out of the store in one step; what is left to delete is under the path returned.
  ///
  /// A crash in between leaves only trash, which the next process sweeps. Nil where nothing was there.
  func moveToTrash(_ entry: StoreEntry) throws(SystemError) -> String? {
    let trash = "\(text)/work/trash-\(Self.uniqueName())"
    guard Glibc.rename(location(of: entry), trash) == 0 else {
      if errno == ENOENT { return nil }
      throw SystemError("rename", path: Array(trash.utf8))
    }
    return trash
  }

  // MARK: - Blobs

  /// The file of a blob, whether or not it is there.
  func blob(_ digest: Digest) -> FilePath {
    FilePath("\(text)/blobs/\(digest.hex)")
  }

  /// Whether a blob is there, in the size that it has to have.
  func hasBlob(_ descriptor: Descriptor) -> Bool {
    // What cannot be kept from a collector is as good as not there.
    guard (try? hold(.blob(descriptor.digest))) != nil else { return false }
    var status = stat()
    return lstat("\(text)/blobs/\(descriptor.digest.hex)", &status) == 0
      && Int64(status.st_size) == descriptor.size
  }

  /// Moves a finished file into the store under its digest.
  ///
  /// Its bytes are on the disk before it has the name: a blob that is there is believed, and a power
  /// cut must not leave one without its end.
  func adoptBlob(_ file: FilePath, as digest: Digest) throws {
    try hold(.blob(digest))
    try FileContent.flush(file)
    try Call.rename(file, to: blob(digest))
    try FileContent.flush(path.appending("blobs"))
  }

  // MARK: - Workspaces

  /// Makes a private directory for one step; ``remove(_:)`` it when the step is over.
  ///
  /// overlayfs shows the topmost layer's attributes for the root directory itself, so the upper
  /// directory starts with those of the layer below.
  func makeWorkspace(below root: RootTree) throws -> Workspace {
    space.check(self)
    let name = Self.uniqueName()
    let workspace = Workspace(path: path.appending("work").appending(name))
    let lock = path.appending("work").appending("\(name).lock")
    let held = try FileLock.hold(lock)
    // The descriptor lives as long as the process or until `remove`, whichever is first.
    WorkspaceLocks.shared.keep(held, for: name)
    try Call.check("mkdir", workspace.path) { mkdir($0, 0o700) }
    for folder in [workspace.upper, workspace.work, workspace.scratch] {
      try Call.check("mkdir", folder) { mkdir($0, 0o755) }
      _ = folder.withPlatformString { chmod($0, 0o755) }
    }
    if let top = root.layers.last {
      let lower = try TreeAccess.openDirectory(top)
      let status = try FileRecord.status(of: lower.raw)
      let upper = try TreeAccess.openDirectory(workspace.upper)
      guard FileRecord.setOwner(of: upper.raw, status.st_uid, status.st_gid) == 0 else {
        throw SystemError("chown", path: workspace.upper.bytes)
      }
      try Call.check("chmod", workspace.upper) { chmod($0, status.st_mode & 0o7777) }
    }
    return workspace
  }

  /// Removes a workspace and everything still in it.
  func remove(_ workspace: Workspace) {
    let name = workspace.path.lastComponent?.string ?? ""
    try? DirectoryTree.remove(workspace.path)
    _ = path.appending("work").appending("\(name).lock").withPlatformString { unlink($0) }
    WorkspaceLocks.shared.release(name)
  }

  /// Removes what processes left behind that no longer run: their locks are free.
  private func sweep() throws {
    let work = path.appending("work")
    for name in try DirectoryTree.names(in: work) where !name.hasSuffix(".lock") {
      // A workspace is made after its lock and removed before it, so one without was left behind.
      let lock = work.appending("\(name).lock")
      guard !FileLock.isHeld(lock) else { continue }
      Self.delete("\(text)/work/\(name)")
      _ = lock.withPlatformString { unlink($0) }
    }
    for name in try DirectoryTree.names(in: work) where name.hasSuffix(".lock") {
      let lock = work.appending(name)
      if !FileLock.isHeld(lock) { _ = lock.withPlatformString { unlink($0) } }
    }
    let leases = path.appending("leases")
    for name in try DirectoryTree.names(in: leases) {
      let lease = leases.appending(name)
      if !FileLock.isHeld(lease) { _ = lease.withPlatformString { unlink($0) } }
    }
  }

  /// Deletes a tree or a file, as far as it goes: what is left is swept the next time.
  static func delete(_ path: String) {
    do {
      try DirectoryTree.remove(Array(path.utf8), in: AT_FDCWD)
    } catch {
      unlink(path)
    }
  }

  static func uniqueName() -> String {
    let random = UInt64.random(in: 0...UInt64.max)
    return "\(getpid())-" + String(random, radix: 36)
  }
}

/// What the store knows of a layer without reading it.
struct LayerInfo: Codable, Hashable, Sendable {
  /// Bytes of file content.
  var size: Int64
  var entries: Int
  /// The boot that wrote it.
  var boot: String
  /// What a person knows it by.
  var title: String
  /// Whether it was unpacked from an image; its name is then the digest of a tar, not of the tree.
  var isBase: Bool
  /// Seconds since 1970.
  var created: Double
  /// The digest of the tree as it was unpacked, of a layer from an image.
  var content: Digest?
}
