import PipelineDSL
import SystemPackage

/// Reads what `docker save` wrote before it wrote OCI layouts: `manifest.json`, a config named by
/// its digest, and a tar for each layer.
struct DockerArchive {
  let files: ImageFiles

  /// An entry of `manifest.json`.
  private struct Entry: Decodable {
    var config: String
    var names: [String]?
    var layers: [String]

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case names = "RepoTags"
      case layers = "Layers"
    }
  }

  /// Finds an image and reads its config.
  func resolve(_ selection: ImageSelection, platform: Platform) throws -> ResolvedImage {
    let entries = try ManifestDocument.decode(
      [Entry].self, try files.document("manifest.json"), "'manifest.json' in '\(files.place)'")
    let entry = try select(selection, in: entries)
    let bytes = try files.document(entry.config)
    let digest = SHA256Hasher.digest(of: bytes)
    let name = entry.config.split(separator: "/").last.map(String.init) ?? ""
    let stem = name.hasSuffix(".json") ? String(name.dropLast(5)) : name
    if let promised = Digest(hex: stem), promised != digest {
      throw Diagnostic(
        "'\(entry.config)' in '\(files.place)' has other bytes: their digest is \(digest)",
        help: "the archive is damaged; save the image again")
    }
    let configuration = try ManifestDocument.decode(
      ImageConfiguration.self, bytes, "'\(entry.config)' in '\(files.place)'")
    guard configuration.rootfs.diffIDs.count == entry.layers.count else {
      throw Diagnostic(
        "'manifest.json' in '\(files.place)' names \(entry.layers.count) layers, and '\(entry.config)' \(configuration.rootfs.diffIDs.count)"
      )
    }
    var slices: [Digest: FileSlice] = [:]
    var layers: [Descriptor] = []
    for (layer, diffID) in zip(entry.layers, configuration.rootfs.diffIDs) {
      guard let slice = try files.open(layer) else {
        throw Diagnostic(
          "'\(files.place)' has no '\(layer)', which its image names",
          help: "the archive is not complete; save the image again")
      }
      let descriptor = try Self.descriptor(of: slice, diffID: diffID)
      slices[descriptor.digest] = slice
      layers.append(descriptor)
    }
    return try ResolvedImage(
      digest: digest, configuration: configuration, layers: layers,
      blobs: SliceBlobs(slices: slices), place: "'\(files.place)'")
  }

  private func select(_ selection: ImageSelection, in entries: [Entry]) throws -> Entry {
    let names = entries.flatMap { $0.names ?? [] }
    let listed = names.map { "'\($0)'" }.joined(separator: ", ")
    switch selection {
    case .whole:
      if entries.count == 1 { return entries[0] }
      throw Diagnostic(
        "'\(files.place)' has \(entries.count) images, and which one is meant is not said",
        help: names.isEmpty ? nil : "add a tag: \(listed)")
    case .tag(let tag):
      let found = entries.filter { selection.matches($0.names ?? []) }
      if found.count == 1 { return found[0] }
      throw Diagnostic(
        found.isEmpty
          ? "'\(files.place)' has no image '\(tag)'"
          : "'\(tag)' names \(found.count) images in '\(files.place)'",
        help: names.isEmpty ? nil : "its images are \(listed)")
    case .digest(let digest):
      guard let found = entries.first(where: { $0.config.contains(digest.hex) }) else {
        throw Diagnostic("'\(files.place)' has no image with the id \(digest)")
      }
      return found
    }
  }

  /// What a layer's file is as a blob: plain tars are named by their diff id, others by the digest
  /// of the file.
  private static func descriptor(of slice: FileSlice, diffID: Digest) throws -> Descriptor {
    let type = MediaType.ociLayer(compression: Compression(of: try slice.head(6)))
    guard let type else {
      throw Diagnostic(
        "a layer in '\(slice.file.path)' is neither a plain tar nor compressed by gzip or zstd")
    }
    let digest = type == MediaType.ociLayer ? diffID : try slice.reader().digest()
    return Descriptor(mediaType: type, digest: digest, size: slice.size)
  }
}

/// Blobs that are parts of files, by digest.
struct SliceBlobs: BlobSource {
  var slices: [Digest: FileSlice]

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    guard let slice = slices[descriptor.digest] else {
      throw Diagnostic("there is no blob \(descriptor.digest)")
    }
    return slice.reader()
  }
}
