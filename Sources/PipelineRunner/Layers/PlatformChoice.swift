import PipelineDSL

/// Which manifest of an index serves a platform, by the order of containerd's `platforms.Only`.
enum PlatformChoice {
  /// The best entry; nil where none serves.
  static func best(for wanted: Platform, among manifests: [Descriptor]) -> Descriptor? {
    for candidate in acceptable(wanted) {
      let match = manifests.first { descriptor in
        guard let platform = descriptor.platform, !descriptor.isAttestation else { return false }
        return matches(platform, candidate)
      }
      if let match { return match }
    }
    // An index need not name platforms; a single entry can then only be meant.
    let unnamed = manifests.filter { $0.platform == nil && !$0.isAttestation }
    // What an index within the index has is seen when it is read.
    if let nested = unnamed.first(where: { MediaType.isIndex($0.mediaType) }) { return nested }
    return manifests.count == 1 ? unnamed.first : nil
  }

  /// The platforms of an index, for messages.
  static func names(_ manifests: [Descriptor]) -> String {
    let names = manifests.filter { !$0.isAttestation && $0.platform?.os != "unknown" }.compactMap {
      descriptor in
      descriptor.platform.map { platform in
        ([platform.os, platform.architecture] + (platform.variant.map { [$0] } ?? []))
          .joined(separator: "/")
      }
    }
    return names.isEmpty ? "nothing that names a platform" : names.joined(separator: ", ")
  }

  private static func matches(
    _ platform: Descriptor.PlatformFields, _ wanted: Platform
  ) -> Bool {
    let text = ([platform.os, platform.architecture] + (platform.variant.map { [$0] } ?? []))
      .joined(separator: "/")
    guard let found = try? Platform(parsing: text) else { return false }
    return found == wanted
  }

  /// The platform itself, then older processors whose programs it runs.
  private static func acceptable(_ wanted: Platform) -> [Platform] {
    var result = [wanted]
    func older(_ architecture: String, from variant: String?, downTo oldest: Int) {
      guard let variant, let number = Int(variant.drop { $0 == "v" }), number > oldest else {
        return
      }
      for version in (oldest..<number).reversed() {
        let isDefault = architecture == "amd64" && version == 1
        result.append(
          Platform(
            os: wanted.os, architecture: architecture, variant: isDefault ? nil : "v\(version)"))
      }
    }
    switch wanted.architecture {
    case "amd64":
      older("amd64", from: wanted.variant, downTo: 1)
      result.append(Platform(os: wanted.os, architecture: "386"))
    case "arm": older("arm", from: wanted.variant, downTo: 5)
    case "arm64":
      if wanted.variant != nil { result.append(Platform(os: wanted.os, architecture: "arm64")) }
      result.append(Platform(os: wanted.os, architecture: "arm", variant: "v8"))
      older("arm", from: "v8", downTo: 5)
    default: break
    }
    return result
  }
}

extension Descriptor {
  /// Whether the entry of an index is a statement about another one (BuildKit's attestations).
  var isAttestation: Bool {
    annotations?["vnd.docker.reference.type"] == "attestation-manifest"
  }
}
