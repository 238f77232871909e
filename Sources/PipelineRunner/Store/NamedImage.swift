import FoundationEssentials
import SystemPackage

/// An image that the store keeps under a name.
struct NamedImage: Codable, Hashable, Sendable {
  /// The normalised reference.
  var name: String
  var configuration: ImageConfiguration
  /// The digest of the config document: the image's id.
  var id: Digest
  var layers: [LayerID]
  /// Seconds since 1970.
  var created: Int
}

extension Store {
  /// The image of a name, nil where there is none.
  func image(named name: String) throws -> NamedImage? {
    guard let bytes = try FileContent.readIfPresent(file(ofImage: name)) else { return nil }
    return try? JSONDecoder().decode(NamedImage.self, from: Data(bytes))
  }

  func setImage(_ image: NamedImage) throws {
    let folder = path.appending("images")
    try DirectoryTree.make(folder, mode: 0o755)
    try FileContent.replace(
      file(ofImage: image.name), with: Array(JSONEncoder().encode(image)))
  }

  /// Every named image, in the order of names.
  func images() throws -> [NamedImage] {
    let folder = path.appending("images")
    try DirectoryTree.make(folder, mode: 0o755)
    return try DirectoryTree.names(in: folder).compactMap { name in
      guard let bytes = try FileContent.readIfPresent(folder.appending(name)) else { return nil }
      return try? JSONDecoder().decode(NamedImage.self, from: Data(bytes))
    }.sorted { $0.name < $1.name }
  }

  private func file(ofImage name: String) -> FilePath {
    // A name may hold '/' and anything else; its digest is a safe file name.
    path.appending("images").appending(SHA256Hasher.digest(of: Array(name.utf8)).hex)
  }
}
