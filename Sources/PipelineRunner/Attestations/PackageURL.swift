import PipelineDSL

/// Names of packages of every kind (package-url specification).
enum PackageURL {
  /// An image by its normalised reference; `platform` is escaped already.
  static func docker(_ name: String, platform: String) -> String {
    guard let reference = try? RegistryReference(name) else { return name }
    let path = LayoutWriter.familiar("\(reference.registry)/\(reference.repository)")
    var url = "pkg:docker/\(path)"
    if let tag = reference.tag { url += "@\(tag)" }
    if let digest = reference.digest { url += "?digest=\(digest)" }
    if !platform.isEmpty { url += (url.contains("?") ? "&" : "?") + "platform=\(platform)" }
    return url
  }

  /// Escapes what is neither a letter, a digit nor one of `.-_~`.
  static func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      let isPlain =
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || ".-_~".utf8.contains(byte)
      if isPlain {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }
}
