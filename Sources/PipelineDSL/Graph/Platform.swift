/// An operating system and processor an image is for, as OCI image indexes name them.
public struct Platform: Hashable, Sendable {
  public var os: String
  public var architecture: String
  public var variant: String?

  /// Creates a platform from its normalised parts.
  public init(os: String = "linux", architecture: String, variant: String? = nil) {
    self.os = os
    self.architecture = architecture
    self.variant = variant
  }
}

extension Platform {
  /// Linux on a processor, for example `.linux("amd64")` or `.linux("arm", variant: "v7")`.
  public static func linux(_ architecture: String, variant: String? = nil) -> Platform {
    Platform(architecture: architecture, variant: variant)
  }
}

extension Platform: CustomStringConvertible {
  public var description: String {
    "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "")
  }
}
