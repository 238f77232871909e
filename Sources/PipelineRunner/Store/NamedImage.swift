import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// An image that the store keeps under a name, for one platform or several.
struct NamedImage: Codable, Hashable, Sendable {
  /// The image of one platform.
  struct Variant: Codable, Hashable, Sendable {
    var platform: String
    /// The digest of the config document: the image's id.
    var id: Digest
    var configuration: ImageConfiguration
    var layers: [LayerID]
  }

  /// The normalised reference.
  var name: String
  /// In the order built; never empty.
  var variants: [Variant]
  /// Seconds since 1970.
  var created: Int

  /// The image for a platform, else the first one.
  func variant(for platform: Platform) -> Variant? {
    variants.first { $0.platform == "\(platform)" } ?? variants.first
  }
}

extension Store {
  /// The image of a name, nil where there is none.
  func image(named name: String) throws -> NamedImage? {
    try CheckedFile.read(NamedImage.self, from: file(ofImage: name))
  }

  /// The image that a user names, for this machine's platform, with its layers held.
  ///
  /// - Throws: a diagnostic that lists the names there are.
  func builtImage(_ text: String) throws -> NamedImage.Variant {
    let name = "\(try RegistryReference(text))"
    guard let image = try image(named: name)?.variant(for: .current) else {
      let names = try images().map(\.name).joined(separator: ", ")
      throw Diagnostic(
        "no image '\(name)' was built here",
        help: names.isEmpty ? "build one with -t NAME" : "the images are \(names)")
    }
    for layer in image.layers {
      try hold(.layer(layer))
      guard try info(of: layer) == nil else { continue }
      throw Diagnostic(
        "a layer of '\(name)' is not in the store",
        help: "build it again, without pushing it in the same build")
    }
    return image
  }

  func setImage(_ image: NamedImage) throws {
    try CheckedFile.write(image, to: file(ofImage: image.name))
  }

  /// Every named image, in the order of names.
  func images() throws -> [NamedImage] {
    let folder = path.appending("images")
    return try DirectoryTree.names(in: folder).compactMap { name in
      try CheckedFile.read(NamedImage.self, from: folder.appending(name))
    }.sorted { $0.name < $1.name }
  }

  /// Takes a name away; false where there is none.
  func removeImage(named name: String) throws -> Bool {
    let file = file(ofImage: name)
    let status = file.withPlatformString { unlink($0) }
    if status == 0 { return true }
    guard errno == ENOENT else { throw SystemError("unlink", path: file.bytes) }
    return false
  }

  private func file(ofImage name: String) -> FilePath {
    // A name may hold '/' and anything else; its digest is a safe file name.
    path.appending("images").appending(SHA256Hasher.digest(of: Array(name.utf8)).hex)
  }
}
