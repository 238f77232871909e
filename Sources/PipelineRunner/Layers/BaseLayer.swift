import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// A layer of a base image, unpacked only when a step needs it.
struct BaseLayer: Sendable {
  var diffID: Digest
  /// The blob as the image's manifest names it.
  var descriptor: Descriptor
  var blobs: any BlobSource

  /// Unpacks the layer into an empty directory in overlayfs-native form.
  ///
  /// - Returns: the directories that the layer has entries in and says nothing of;
  ///   ``inherit(_:in:from:)`` makes them what they are below.
  /// - Throws: a diagnostic when the bytes are not those that the image promised.
  func unpack(into directory: FilePath) throws -> [[UInt8]] {
    try LayerUnpacker(diffID: diffID, descriptor: descriptor, blobs: blobs)
      .unpack(into: directory)
  }

  /// Gives directories the owner, mode and time they have in the layers below, given top first: what
  /// the uppermost layer says of a directory is what shows.
  static func inherit(
    _ paths: [[UInt8]], in directory: FilePath, from below: [FilePath]
  ) throws {
    for path in paths { try inherit(path, in: directory, from: below) }
  }

  private static func inherit(
    _ path: [UInt8], in directory: FilePath, from below: [FilePath]
  ) throws {
    let resolve = CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS
    for lower in below {
      let root = try TreeAccess.openDirectory(lower)
      guard
        let found = try? TreeAccess.openIfPresent(
          path, in: root.raw, flags: TreeAccess.pathOnly | O_NOFOLLOW, resolve: resolve)
      else { continue }
      let status = try FileRecord.status(of: found.raw)
      // Deleted or something else below: the layer's directory is a new one.
      guard status.st_mode & S_IFMT == S_IFDIR else { return }
      let own = try TreeAccess.openDirectory(directory)
      let target = try TreeAccess.open(
        path, in: own.raw, flags: O_RDONLY | O_DIRECTORY, resolve: resolve)
      guard FileRecord.setOwner(of: target.raw, status.st_uid, status.st_gid) == 0,
        fchmod(target.raw, status.st_mode & 0o7777) == 0,
        futimens(target.raw, [status.st_mtim, status.st_mtim]) == 0
      else { throw SystemError("fchown", path: path) }
      return
    }
  }

  /// Unpacks the layer, from the store's own copy of the blob where there is one.
  ///
  /// `count` is told of the blob's bytes as they arrive.
  func unpack(
    into directory: FilePath, store: Store, count: @escaping @Sendable (Int) -> Void
  ) throws -> [[UInt8]] {
    var counted = self
    if store.hasBlob(descriptor) {
      counted.blobs = FileBlobSource(file: store.blob(descriptor.digest))
    }
    counted.blobs = CountedBlobs(source: counted.blobs, count: count)
    return try counted.unpack(into: directory)
  }

  /// The layer's blob, copied byte for byte into the store where it is not there.
  func packed(in store: Store) throws -> PackedLayer {
    let packed = PackedLayer(descriptor: descriptor, diffID: diffID)
    if store.hasBlob(descriptor) { return packed }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let file = workspace.path.appending("blob")
    try copy(to: file)
    try store.adoptBlob(file, as: descriptor.digest)
    return packed
  }

  private func copy(to file: FilePath) throws {
    do {
      let raw = file.withPlatformString {
        open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      }
      guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
      let target = OwnedDescriptor(owning: raw)
      let reader = try VerifiedReader(descriptor, blobs)
      while let chunk = try reader.next() {
        try FileData.write(
          UnsafeRawBufferPointer(start: chunk.start, count: chunk.count), to: target.raw)
      }
      try target.close()
    } catch let error as SystemError {
      throw error.diagnostic("the layer \(descriptor.digest) cannot be kept")
    } catch var error as Diagnostic {
      error.message = "the layer \(descriptor.digest) cannot be used: \(error.message)"
      throw error
    }
  }
}

/// Where the blobs of an image come from: a layout, an archive, a registry.
protocol BlobSource: Sendable {
  /// Opens a blob for reading from its start; nothing is verified yet.
  func open(_ descriptor: Descriptor) throws -> any BlobReader
}

/// Bytes that arrive in order; blocks until there are some.
///
/// Opened, read and dropped on one thread, which need not be the one that has the source.
protocol BlobReader: AnyObject {
  /// Fills a part of the buffer; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}
