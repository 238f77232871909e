import Glibc
import PipelineDSL
import SystemPackage

/// Makes an image with one layer and no settings of a bare root file system.
enum RootfsImage {
  /// A directory: its layer is the canonical tar of the tree as it is now.
  static func resolve(directory: FilePath, platform: Platform) throws -> ResolvedImage {
    let folder = FilePath(ProcessVariables.nonEmpty("TMPDIR") ?? "/var/tmp")
    let scratch = folder.appending(".pipeline-\(Store.uniqueName())")
    try Call.check("mkdir", scratch) { mkdir($0, 0o700) }
    // The tar stays readable through its descriptor.
    defer { try? DirectoryTree.remove(scratch) }
    let empty = scratch.appending("empty")
    try Call.check("mkdir", empty) { mkdir($0, 0o755) }
    let file = scratch.appending("layer")
    let packed = try LayerPacker(empty: empty).pack(
      layer: directory, below: .empty, epoch: nil, compression: .none, into: file)
    let slice = try FileSlice(opening: file)
    return image(packed.descriptor, packed.diffID, slice, platform)
  }

  /// A tar: it is the layer as it stands; `plain` is the same without compression.
  static func resolve(
    tar: SharedFile, plain: SharedFile, _ compression: Compression, platform: Platform
  ) throws -> ResolvedImage {
    let whole = FileSlice(of: plain, offset: 0, size: plain.size)
    let diffID = try whole.reader().digest()
    guard compression != .none, let type = MediaType.ociLayer(compression: compression) else {
      let descriptor = Descriptor(
        mediaType: MediaType.ociLayer, digest: diffID, size: whole.size)
      return image(descriptor, diffID, whole, platform)
    }
    let slice = FileSlice(of: tar, offset: 0, size: tar.size)
    let descriptor = Descriptor(
      mediaType: type, digest: try slice.reader().digest(), size: slice.size)
    return image(descriptor, diffID, slice, platform)
  }

  private static func image(
    _ descriptor: Descriptor, _ diffID: Digest, _ slice: FileSlice, _ platform: Platform
  ) -> ResolvedImage {
    // As a stage from scratch begins (S11).
    var settings = ImageConfiguration.Execution()
    settings.workingDirectory = "/"
    let configuration = ImageConfiguration(
      created: nil, author: nil, architecture: platform.architecture, variant: platform.variant,
      os: platform.os, osVersion: nil, config: settings, rootfs: .init(diffIDs: [diffID]),
      history: nil)
    return ResolvedImage(
      digest: diffID, configuration: configuration,
      layers: [
        BaseLayer(
          diffID: diffID, descriptor: descriptor,
          blobs: SliceBlobs(slices: [descriptor.digest: slice]))
      ])
  }
}
