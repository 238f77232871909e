import PipelineDSL

/// Which entry of an index serves a platform.
enum PlatformChoice {
  /// The best entry, by containerd's rules: the variant itself, else the next one below.
  ///
  /// - Throws: a diagnostic that lists what the index has.
  static func best(
    for platform: Platform, in index: ImageIndex, _ subject: String
  ) throws(Diagnostic) -> Descriptor {
    let variants = acceptable(platform)
    for variant in variants {
      let match = index.manifests.first { entry in
        guard let fields = entry.platform, fields.os == platform.os,
          fields.architecture == platform.architecture
        else { return false }
        return normalized(fields.variant, fields.architecture) == variant
      }
      if let match { return match }
    }
    // An entry that names no platform: a nested index, or the only image there is.
    let unnamed = index.manifests.filter { $0.platform == nil }
    if let nested = unnamed.first(where: { isIndex($0) }) { return nested }
    if index.manifests.count == 1, let only = unnamed.first { return only }
    let names = index.manifests.compactMap { entry -> String? in
      guard let fields = entry.platform, fields.os != "unknown" else { return nil }
      return "\(fields.os)/\(fields.architecture)" + (fields.variant.map { "/\($0)" } ?? "")
    }
    throw Diagnostic(
      "\(subject) has no image for \(platform)",
      help: names.isEmpty ? "its index is empty" : "it has \(names.joined(separator: ", "))")
  }

  private static func isIndex(_ descriptor: Descriptor) -> Bool {
    descriptor.mediaType == MediaType.ociIndex
      || descriptor.mediaType == MediaType.dockerManifestList
  }

  /// Variants that run on a platform, best first; nil is the architecture's first one.
  private static func acceptable(_ platform: Platform) -> [String?] {
    let own = normalized(platform.variant, platform.architecture)
    switch platform.architecture {
    case "arm":
      let all = ["v8", "v7", "v6", "v5"]
      guard let start = all.firstIndex(of: own ?? "v7") else { return [own] }
      return all[start...].map { $0 }
    case "amd64":
      let all = ["v4", "v3", "v2"]
      guard let own, let start = all.firstIndex(of: own) else { return [own] }
      return all[start...].map { $0 } + [nil]
    default: return [own]
    }
  }

  private static func normalized(_ variant: String?, _ architecture: String) -> String? {
    switch (architecture, variant) {
    case ("arm64", "v8"), ("arm64", "8"), ("amd64", "v1"), (_, ""): nil
    case ("arm", nil), ("arm", "7"): "v7"
    case ("arm", "5"), ("arm", "6"), ("arm", "8"): variant.map { "v\($0)" }
    default: variant
    }
  }
}
