/// A value that the command line may set with `--build-arg`.
///
/// As a step it declares the argument in a stage; interpolated it stands for its value. What the
/// program knows by itself needs no argument: a Swift constant is shorter and typed.
///
/// ```swift
/// let version = BuildArgument("APP_VERSION", default: "dev")
/// Stage(from: .image("alpine:3")) {
///   version
///   Run("echo \(version) > /version")
/// }
/// ```
public struct BuildArgument: SingleStep {
  /// The name after `--build-arg`.
  public let name: String
  let defaultValue: Word?

  /// Declares an argument; without a default it is unset until somebody gives a value.
  public init(_ name: String, default defaultValue: Word? = nil) {
    self.name = name
    self.defaultValue = defaultValue
  }

  public var step: Step {
    Step(.argument([ArgumentDeclaration(name, defaultValue)]))
  }
}

extension BuildArgument {
  /// The platform that the image is for, such as `linux/arm64`.
  public static let targetPlatform = BuildArgument("TARGETPLATFORM")
  /// The processor that the image is for, such as `arm64`.
  public static let targetArchitecture = BuildArgument("TARGETARCH")
  /// The platform of the machine that builds.
  public static let buildPlatform = BuildArgument("BUILDPLATFORM")
}

extension BuildArgument {
  /// The arguments that have values without being declared (S7).
  static let automaticNames: Set<String> = Set(
    ["TARGET", "BUILD"].flatMap { side in
      ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"].map { side + $0 }
    } + ["TARGETSTAGE"])
}
