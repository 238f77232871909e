import Foundation

/// An image as it was written: an OCI layout or docker archive, as a tar file or a directory.
///
/// Reads it and checks what any consumer relies on: digests, sizes, and that layers and diff ids
/// belong together.
struct ImageArchive {
  var config: ImageConfig
  var configBytes: [UInt8]
  var manifest: ImageManifestDocument?
  /// The entries of the outermost index: names of the image are in their annotations.
  var entries: [ImageDescriptor] = []
  var layers: [ImageLayer]
  /// What is wrong with it; empty for an image as it should be.
  private(set) var problems: [String]

  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// Reads the only image in it that is meant for a machine.
  init(at path: String) throws {
    let files = try Files(at: path)
    problems = []
    guard files.contains("index.json") else {
      guard files.contains("manifest.json") else {
        throw Missing(description: "\(path) has neither index.json nor manifest.json")
      }
      let entries = try JSONDecoder().decode(
        [DockerArchiveEntry].self, from: Data(try files.read("manifest.json")))
      guard let entry = entries.first else { throw Missing(description: "no image in \(path)") }
      configBytes = try files.read(entry.config)
      config = try JSONDecoder().decode(ImageConfig.self, from: Data(configBytes))
      layers = try entry.layers.map { try LayerMemory.layer(of: files.read($0)) }
      check()
      return
    }
    if try !String(decoding: files.read("oci-layout"), as: UTF8.self).contains("1.0.0") {
      problems.append("oci-layout is not of version 1.0.0")
    }
    var document = try JSONDecoder().decode(
      ImageManifestDocument.self, from: Data(files.read("index.json")))
    entries = document.manifests ?? []
    while let inner = document.manifests {
      let images = inner.filter {
        $0.platform?.os != "unknown" && $0.annotations?["vnd.docker.reference.type"] == nil
      }
      guard let first = images.first else { throw Missing(description: "no image in \(path)") }
      let bytes = try Self.blob(first, files, &problems)
      document = try JSONDecoder().decode(ImageManifestDocument.self, from: Data(bytes))
      if let own = document.mediaType, let said = first.mediaType, own != said {
        problems.append("a manifest of type \(own) is referred to as \(said)")
      }
    }
    guard let configuration = document.config else { throw Missing(description: "no config") }
    manifest = document
    configBytes = try Self.blob(configuration, files, &problems)
    config = try JSONDecoder().decode(ImageConfig.self, from: Data(configBytes))
    layers = []
    for descriptor in document.layers ?? [] {
      layers.append(try LayerMemory.layer(of: Self.blob(descriptor, files, &problems)))
    }
    check()
  }

  /// The merged file system.
  func tree() -> FileTree {
    var tree = FileTree()
    for layer in layers { tree.apply(layer) }
    return tree
  }

  private mutating func check() {
    let found = layers.map(\.digest)
    if found != config.rootfs.diffIDs ?? [] {
      problems.append("the layers are \(found), the config says \(config.rootfs.diffIDs ?? [])")
    }
    let history = config.history ?? []
    let full = history.count { $0.emptyLayer != true }
    if full != layers.count {
      problems.append("\(layers.count) layers, but \(full) history entries with one")
    }
    for layer in layers {
      let names = layer.members.map { $0.name.hasSuffix("/") ? String($0.name.dropLast()) : $0.name }
      if Set(names).count != names.count { problems.append("a layer names something twice") }
    }
    problems += tree().problems
  }

  private static func blob(
    _ descriptor: ImageDescriptor, _ files: Files, _ problems: inout [String]
  ) throws -> [UInt8] {
    let bytes = try files.read(
      "blobs/" + descriptor.digest.replacingOccurrences(of: ":", with: "/"))
    if bytes.count != descriptor.size {
      problems.append("\(descriptor.digest) has \(bytes.count) bytes, not \(descriptor.size)")
    }
    if "sha256:" + Checksum.hex(of: bytes) != descriptor.digest {
      problems.append("the content of \(descriptor.digest) is another")
    }
    return bytes
  }
}

/// The files of a layout, in a directory or in a tar archive.
private enum Files {
  case directory(String)
  case archive([UInt8], [String: Range<Int>])

  init(at path: String) throws {
    var isDirectory = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw ImageArchive.Missing(description: "\(path) is not there")
    }
    if isDirectory.boolValue {
      self = .directory(path)
    } else {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      var ranges: [String: Range<Int>] = [:]
      for member in try TarReader.members(of: bytes) where member.kind == .file {
        ranges[member.name] = member.content
      }
      self = .archive(bytes, ranges)
    }
  }

  func contains(_ name: String) -> Bool {
    switch self {
    case .directory(let path): FileManager.default.fileExists(atPath: "\(path)/\(name)")
    case .archive(_, let ranges): ranges[name] != nil
    }
  }

  func read(_ name: String) throws -> [UInt8] {
    switch self {
    case .directory(let path):
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    case .archive(let bytes, let ranges):
      guard let range = ranges[name] else {
        throw ImageArchive.Missing(description: "\(name) is not in the archive")
      }
      return Array(bytes[range])
    }
  }
}

/// Layers that were read before: every image has the base's.
private final class LayerMemory: @unchecked Sendable {
  // Every access to `layers` holds the lock.
  private static let shared = LayerMemory()
  private let lock = NSLock()
  private var layers: [String: ImageLayer] = [:]

  static func layer(of blob: [UInt8]) throws -> ImageLayer {
    let key = Checksum.hex(of: blob)
    if let known = shared.lock.withLock({ shared.layers[key] }) { return known }
    let layer = try ImageLayer(blob: blob)
    if blob.count > 100_000 { shared.lock.withLock { shared.layers[key] = layer } }
    return layer
  }
}
