/// A value that the command line may set with `--build-arg`.
///
/// Interpolated it stands for its value, in the name of a base image as in a step; the stage that
/// uses it declares it before the first step that does. As a step of its own it is declared where
/// it stands. What the program knows by itself needs no argument: a Swift constant is shorter and
/// typed.
///
/// ```swift
/// let version = BuildArgument("APP_VERSION", default: "dev")
/// Stage(from: .image("alpine:3")) {
///   Run("echo \(version) > /version")   // ARG APP_VERSION=dev, then RUN echo "${APP_VERSION}" …
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
  /// The operating system that the image is for, such as `linux`.
  public static let targetOS = BuildArgument("TARGETOS")
  /// The variant of the processor that the image is for, such as `v7`; mostly empty.
  public static let targetVariant = BuildArgument("TARGETVARIANT")
  /// The processor of the machine that builds.
  public static let buildArchitecture = BuildArgument("BUILDARCH")
}

extension BuildArgument {
  /// The arguments that have values without being declared (S7).
  static let automaticNames: Set<String> = Set(
    ["TARGET", "BUILD"].flatMap { side in
      ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"].map { side + $0 }
    } + ["TARGETSTAGE"])
}
