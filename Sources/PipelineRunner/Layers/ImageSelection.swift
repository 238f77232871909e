import PipelineDSL

/// Which of the images in a layout or an archive is meant.
enum ImageSelection: Hashable, Sendable {
  /// The only one, or the one called `latest`.
  case whole
  case tag(String)
  case digest(Digest)

  /// Whether an entry's names fit: a bare tag, or a whole reference as containerd writes it.
  func matches(_ names: [String]) -> Bool {
    guard case .tag(let wanted) = self else { return false }
    let reference = try? RegistryReference(wanted)
    return names.contains { name in
      if name == wanted || name.hasSuffix(":\(wanted)") { return true }
      guard let reference, name.contains("/") || name.contains(":") else { return false }
      return (try? RegistryReference(name)) == reference
    }
  }
}

extension ImageSelection: CustomStringConvertible {
  var description: String {
    switch self {
    case .whole: "latest"
    case .tag(let tag): tag
    case .digest(let digest): "\(digest)"
    }
  }
}
