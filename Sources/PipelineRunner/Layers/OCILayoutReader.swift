import PipelineDSL
import SystemPackage

/// Reads an OCI image layout, in a directory or in a tar.
struct OCILayoutReader {
  let files: ImageFiles

  /// How deep indexes may stand in each other.
  private static let depth = 4

  /// Finds an image and reads its config.
  func resolve(_ selection: ImageSelection, platform: Platform) throws -> ResolvedImage {
    try checkVersion()
    let bytes = try files.document("index.json")
    let place = "'index.json' in '\(files.place)'"
    guard
      case .index(let index) = try ManifestDocument(
        parsing: bytes, mediaType: MediaType.ociIndex, place: place)
    else { throw Diagnostic("\(place) is no index") }
    let chosen = try select(selection, in: index, platform)
    return try load(chosen, platform, depth: Self.depth)
  }

  private func checkVersion() throws {
    struct Marker: Decodable {
      var imageLayoutVersion: String
    }
    let place = "'oci-layout' in '\(files.place)'"
    let marker = try ManifestDocument.decode(
      Marker.self, try files.document("oci-layout"), place)
    guard marker.imageLayoutVersion.hasPrefix("1.") else {
      throw Diagnostic("\(place) has the version '\(marker.imageLayoutVersion)'; 1.x is readable")
    }
  }

  // MARK: - Choice

  private func select(
    _ selection: ImageSelection, in index: ImageIndex, _ platform: Platform
  ) throws -> Descriptor {
    let entries = index.manifests.filter { !$0.isAttestation }
    if case .digest(let digest) = selection {
      // Any manifest of the layout can be named, also one inside an index.
      return try entries.first { $0.digest == digest } ?? unlisted(digest)
    }
    if case .tag = selection {
      let named = entries.filter { selection.matches($0.imageNames) }
      if named.count == 1 { return named[0] }
      if let best = PlatformChoice.best(for: platform, among: named) { return best }
      throw missing(selection, in: entries, named, platform)
    }
    if entries.count == 1 { return entries[0] }
    let names = Set(entries.map(\.imageNames))
    let candidates =
      names.count == 1
      ? entries : entries.filter { ImageSelection.tag("latest").matches($0.imageNames) }
    if candidates.count == 1 { return candidates[0] }
    if let best = PlatformChoice.best(for: platform, among: candidates) { return best }
    throw missing(selection, in: entries, candidates, platform)
  }

  private func unlisted(_ digest: Digest) throws -> Descriptor {
    guard let slice = try files.open(LayoutBlobs.name(digest)) else {
      throw Diagnostic("'\(files.place)' has no '\(LayoutBlobs.name(digest))'")
    }
    guard slice.size <= ManifestDocument.largest else {
      throw Diagnostic("\(digest) in '\(files.place)' is no manifest")
    }
    let document = try ManifestDocument(
      parsing: try slice.bytes(), mediaType: nil, place: "\(digest) in '\(files.place)'")
    let type =
      switch document {
      case .image(let manifest): manifest.mediaType ?? MediaType.ociManifest
      case .index(let index): index.mediaType ?? MediaType.ociIndex
      }
    return Descriptor(mediaType: type, digest: digest, size: slice.size)
  }

  private func missing(
    _ selection: ImageSelection, in entries: [Descriptor], _ named: [Descriptor],
    _ platform: Platform
  ) -> Diagnostic {
    guard named.isEmpty else {
      return Diagnostic(
        "'\(files.place)' has no image for \(platform); it has \(PlatformChoice.names(named))")
    }
    guard !entries.isEmpty else { return Diagnostic("'\(files.place)' has no image in it") }
    let names = Set(entries.flatMap { $0.imageNames.prefix(1) }).sorted()
    if case .tag(let tag) = selection {
      return Diagnostic(
        "'\(files.place)' has no image '\(tag)'",
        help: names.isEmpty
          ? "its images have no names; leave the tag out, or name one by digest with @sha256:…"
          : "its images are \(names.map { "'\($0)'" }.joined(separator: ", "))")
    }
    return Diagnostic(
      "'\(files.place)' has \(entries.count) images, and which one is meant is not said",
      help: names.isEmpty
        ? "name one by its digest: oci-layout://PATH@sha256:…"
        : "add a tag: \(names.map { "'\($0)'" }.joined(separator: ", "))")
  }

  // MARK: - Documents

  private func load(
    _ descriptor: Descriptor, _ platform: Platform, depth: Int
  ) throws -> ResolvedImage {
    let bytes = try verified(descriptor)
    let place = "\(descriptor.digest) in '\(files.place)'"
    switch try ManifestDocument(parsing: bytes, mediaType: descriptor.mediaType, place: place) {
    case .index(let index):
      guard depth > 0 else {
        throw Diagnostic("the indexes in '\(files.place)' are nested too deep")
      }
      guard let best = PlatformChoice.best(for: platform, among: index.manifests) else {
        throw Diagnostic(
          "the image in '\(files.place)' is not for \(platform); it has \(PlatformChoice.names(index.manifests))",
          help: "build for one of these with --platform")
      }
      return try load(best, platform, depth: depth - 1)
    case .image(let manifest):
      let config = try verified(manifest.config)
      let configuration = try ManifestDocument.decode(
        ImageConfiguration.self, config,
        "the config \(manifest.config.digest) in '\(files.place)'")
      var image = try ResolvedImage(
        digest: descriptor.digest, configuration: configuration, layers: manifest.layers,
        blobs: LayoutBlobs(files: files), place: "'\(files.place)'")
      image.cache = InlineCache(inConfiguration: config)
      return image
    }
  }

  /// The bytes of a small document, held against its digest and size.
  private func verified(_ descriptor: Descriptor) throws -> [UInt8] {
    let slice = try LayoutBlobs(files: files).slice(descriptor)
    guard slice.size <= ManifestDocument.largest else {
      throw Diagnostic(
        "'\(LayoutBlobs.name(descriptor.digest))' in '\(files.place)' has \(slice.size) bytes; a document has at most \(ManifestDocument.largest)"
      )
    }
    let bytes = try slice.bytes()
    let found = SHA256Hasher.digest(of: bytes)
    guard found == descriptor.digest else {
      throw Diagnostic(
        "'\(LayoutBlobs.name(descriptor.digest))' in '\(files.place)' has other bytes: their digest is \(found)",
        help: "the layout is damaged; write it again")
    }
    return bytes
  }
}

/// The blobs of a layout, by digest.
struct LayoutBlobs: BlobSource {
  let files: ImageFiles

  /// A blob's name in a layout.
  static func name(_ digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    try slice(descriptor).reader()
  }

  /// A blob of the size that was promised; its digest is for the reader to check.
  func slice(_ descriptor: Descriptor) throws -> FileSlice {
    let name = Self.name(descriptor.digest)
    guard let slice = try files.open(name) else {
      throw Diagnostic(
        "'\(files.place)' has no '\(name)', which its image names",
        help: "the layout is not complete; write it again")
    }
    guard slice.size == descriptor.size else {
      throw Diagnostic(
        "'\(name)' in '\(files.place)' has \(slice.size) bytes, where the image says \(descriptor.size)",
        help: "the layout is damaged; write it again")
    }
    return slice
  }
}

extension Descriptor {
  /// The names that the entry of an index gives its image.
  var imageNames: [String] {
    [Annotation.referenceName, Annotation.imageName].compactMap { annotations?[$0] }
  }
}

/// Keys of annotations with a meaning of their own.
enum Annotation {
  /// The tag of an entry in `index.json`.
  static let referenceName = "org.opencontainers.image.ref.name"
  /// The whole reference, as containerd writes it.
  static let imageName = "io.containerd.image.name"
  static let created = "org.opencontainers.image.created"
}
