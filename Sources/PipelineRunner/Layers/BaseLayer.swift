import Glibc
import PipelineDSL
import SystemPackage

/// A layer of a base image, unpacked only when a step needs it.
struct BaseLayer: Sendable {
  var diffID: Digest
  /// The blob as the image's manifest names it; nil where the base is a bare file tree.
  var descriptor: Descriptor?
  var blobs: any BlobSource

  /// Unpacks the layer into an empty directory in overlayfs-native form.
  ///
  /// - Throws: a diagnostic when the bytes are not those that the image promised.
  func unpack(into directory: FilePath) throws {
    if let tree = blobs as? DirectoryBlobSource { return try tree.copy(into: directory) }
    try LayerUnpacker(diffID: diffID, descriptor: descriptor, blobs: blobs)
      .unpack(into: directory)
  }

  /// Unpacks the layer, from the store's own copy of the blob where there is one.
  func unpack(into directory: FilePath, store: Store) throws {
    guard let descriptor, store.hasBlob(descriptor.digest) else {
      return try unpack(into: directory)
    }
    var kept = self
    kept.blobs = FileBlobSource(file: store.blob(descriptor.digest))
    try kept.unpack(into: directory)
  }

  /// The layer's blob, copied byte for byte into the store where it is not there.
  ///
  /// The blob of a bare tree is packed from it.
  func packed(in store: Store) throws -> PackedLayer {
    guard let descriptor else { return try packTree(in: store) }
    let packed = PackedLayer(descriptor: descriptor, diffID: diffID)
    if store.hasBlob(descriptor.digest) { return packed }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let file = workspace.path.appending("blob")
    try copy(descriptor, to: file)
    try store.adoptBlob(file, as: descriptor.digest)
    return packed
  }

  private func copy(_ descriptor: Descriptor, to file: FilePath) throws {
    do {
      let raw = file.withPlatformString {
        open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      }
      guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
      let target = OwnedDescriptor(owning: raw)
      let reader = try VerifiedReader(descriptor, diffID: diffID, blobs)
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

  private func packTree(in store: Store) throws -> PackedLayer {
    let id = LayerID(diffID)
    var key = CacheKey("pack")
    key.add("layer", "\(diffID)")
    key.add("tree", "bare")
    if let packed = try store.packed(for: key.digest) { return packed }
    try store.addLayer(id) { try unpack(into: $0) }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let file = workspace.path.appending("blob")
    let packed = try LayerPacker(empty: store.empty).pack(
      layer: store.directory(of: id), below: .empty, epoch: nil, compression: .gzip, into: file)
    try store.adoptBlob(file, as: packed.descriptor.digest)
    try store.setPacked(packed, for: key.digest)
    return packed
  }
}

/// Where the blobs of an image come from: a layout, an archive, a registry.
protocol BlobSource: Sendable {
  /// Opens a blob for reading from its start; nothing is verified yet.
  ///
  /// A source of one bare tar gets a descriptor without a size (-1) and with the tar's own digest.
  func open(_ descriptor: Descriptor) throws -> any BlobReader
}

/// Bytes that arrive in order; blocks until there are some.
///
/// Opened, read and dropped on one thread, which need not be the one that has the source.
protocol BlobReader: AnyObject {
  /// Fills a part of the buffer; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A blob that is a file of its own.
struct FileBlobSource: BlobSource {
  var file: FilePath

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    let raw = file.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    return FileBlobReader(OwnedDescriptor(owning: raw))
  }
}

private final class FileBlobReader: BlobReader {
  private let descriptor: OwnedDescriptor

  init(_ descriptor: consuming OwnedDescriptor) {
    self.descriptor = descriptor
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw SystemError("read") }
    }
  }
}

/// A root file system that is a directory of the machine; its only layer's `diffID` is the content
/// digest that ``LayerContent`` gives it.
struct DirectoryBlobSource: BlobSource {
  var directory: FilePath
  /// A directory with nothing in it.
  var empty: FilePath

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    throw Diagnostic("'\(directory)' is a directory and has no blobs")
  }

  /// Copies everything, owners and times included.
  func copy(into target: FilePath) throws {
    let root = Array("/".utf8)
    let request = CopyRequest(
      root: .empty, sources: [.tree(RootTree([directory]), path: root)], destination: root,
      workingDirectory: root)
    try Copier(empty: empty).copy(request, to: target)
  }
}
