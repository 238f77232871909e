import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// Writes an image as an OCI layout: into a directory, or as a tar.
struct LayoutWriter {
  let bundle: ImageBundle
  /// Normalised references.
  let names: [String]
  /// When the image was made, in the form of RFC 3339.
  let created: String?
  /// The file of a layer's blob.
  let blob: (Digest) -> FilePath

  private static let version = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)

  /// The image's entries in `index.json`, one a name, as BuildKit writes them.
  var entries: [Descriptor] {
    func entry(_ own: [String: String]) -> Descriptor {
      var descriptor = bundle.root
      var annotations = descriptor.annotations ?? [:]
      if let created { annotations[Annotation.created] = created }
      annotations.merge(own) { $1 }
      descriptor.annotations = annotations.isEmpty ? nil : annotations
      return descriptor
    }
    if names.isEmpty { return [entry([:])] }
    return names.map { name in
      var own = [Annotation.imageName: name]
      if let tag = (try? RegistryReference(name))?.tag { own[Annotation.referenceName] = tag }
      return entry(own)
    }
  }

  // MARK: - Tar

  /// Writes the tar; with `isDocker` also the `manifest.json` that `docker load` reads.
  func write(to descriptor: CInt, isDocker: Bool) throws {
    let tar = ImageTarWriter(descriptor)
    try tar.addFile("oci-layout", Self.version)
    try tar.addDirectory("blobs")
    try tar.addDirectory("blobs/sha256")
    for layer in bundle.layers {
      try tar.addFile(
        LayoutBlobs.name(layer.digest), copying: blob(layer.digest), size: layer.size)
    }
    for document in bundle.documents {
      try tar.addFile(LayoutBlobs.name(document.descriptor.digest), document.bytes)
    }
    try tar.addFile("index.json", CanonicalJSON.encode(ImageIndex(manifests: entries)))
    if isDocker { try tar.addFile("manifest.json", CanonicalJSON.encode(dockerEntries)) }
    try tar.finish()
  }

  private struct DockerEntry: Encodable {
    var config: String
    var names: [String]?
    var layers: [String]

    enum CodingKeys: String, CodingKey {
      case config = "Config"
      case names = "RepoTags"
      case layers = "Layers"
    }
  }

  private var dockerEntries: [DockerEntry] {
    bundle.manifests.map { manifest in
      DockerEntry(
        config: LayoutBlobs.name(manifest.config.digest), names: names.map(Self.familiar),
        layers: manifest.layers.map { LayoutBlobs.name($0.digest) })
    }
  }

  /// A reference as docker prints it: without the parts that it fills in by itself.
  static func familiar(_ name: String) -> String {
    var name = name[...]
    if name.hasPrefix("docker.io/") {
      name = name.dropFirst("docker.io/".count)
      if name.hasPrefix("library/") { name = name.dropFirst("library/".count) }
    }
    return String(name)
  }

  // MARK: - Directory

  /// Adds the image to a layout, making the directory where there is none.
  ///
  /// Blobs come first and the index last, by rename, so that a reader beside us sees the old layout
  /// or the new one. Two writers take turns.
  func write(into directory: FilePath) throws {
    try check(directory)
    try DirectoryTree.make(directory, mode: 0o755)
    let blobs = directory.appending("blobs").appending("sha256")
    try DirectoryTree.make(blobs, mode: 0o755)
    let lock = try TreeAccess.openDirectory(directory)
    while flock(lock.raw, LOCK_EX) != 0 {
      guard errno == EINTR else { throw SystemError("flock", path: directory.bytes) }
    }
    for layer in bundle.layers {
      let target = blobs.appending(layer.digest.hex)
      if Self.isPresent(target, size: layer.size) { continue }
      let temporary = blobs.appending("\(layer.digest.hex).\(Store.uniqueName()).new")
      do {
        try StreamCopy.copyFile(blob(layer.digest), to: temporary)
        try Call.rename(temporary, to: target)
      } catch {
        _ = temporary.withPlatformString { unlink($0) }
        throw error
      }
    }
    for document in bundle.documents {
      let target = blobs.appending(document.descriptor.digest.hex)
      if Self.isPresent(target, size: document.descriptor.size) { continue }
      try FileContent.replace(target, with: document.bytes)
    }
    if try FileContent.readIfPresent(directory.appending("oci-layout")) == nil {
      try FileContent.replace(directory.appending("oci-layout"), with: Self.version)
    }
    try FileContent.replace(
      directory.appending("index.json"), with: CanonicalJSON.encode(try merged(into: directory)))
  }

  private func check(_ directory: FilePath) throws {
    var status = stat()
    guard directory.withPlatformString({ stat($0, &status) }) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw Diagnostic(
        "'\(directory)' is a file, and the output is a directory",
        help: "leave tar=false out, or give another dest=")
    }
    let names = try DirectoryTree.names(in: directory)
    guard names.isEmpty || names.contains("oci-layout") else {
      throw Diagnostic(
        "'\(directory)' is not empty and is no OCI layout; nothing was written there",
        help: "give a new directory, or one that holds a layout")
    }
  }

  private static func isPresent(_ file: FilePath, size: Int64) -> Bool {
    var status = stat()
    return file.withPlatformString { lstat($0, &status) } == 0 && Int64(status.st_size) == size
  }

  /// The index of the layout with this image in it; an image of the same name goes out.
  private func merged(into directory: FilePath) throws -> ImageIndex {
    let own = entries
    guard let bytes = try FileContent.readIfPresent(directory.appending("index.json")) else {
      return ImageIndex(manifests: own)
    }
    let place = "'index.json' in '\(directory)'"
    guard
      case .index(var index) = try ManifestDocument(
        parsing: bytes, mediaType: MediaType.ociIndex, place: place)
    else { throw Diagnostic("\(place) is no index") }
    let taken = Set(own.map(\.layoutKey))
    index.manifests.removeAll { taken.contains($0.layoutKey) }
    index.manifests += own
    return index
  }
}

extension Descriptor {
  /// What an entry of a layout is replaced by: its name, or its digest where it has none.
  fileprivate var layoutKey: String {
    let names = imageNames
    return names.isEmpty ? "\(digest)" : names.joined(separator: " ")
  }
}
