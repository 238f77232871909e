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
    throw Diagnostic("unpacking is being written")
  }

  /// The layer's blob, copied byte for byte into the store where it is not there.
  func packed(in store: Store) throws -> PackedLayer {
    throw Diagnostic("unpacking is being written")
  }
}

/// Where the blobs of an image come from: a layout, an archive, a registry.
protocol BlobSource: Sendable {
  /// Opens a blob for reading from its start; nothing is verified yet.
  func open(_ descriptor: Descriptor) throws -> any BlobReader
}

/// Bytes that arrive in order; blocks until there are some.
protocol BlobReader: AnyObject {
  /// Fills a part of the buffer; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}
