/// The platform a stage's base image is chosen for.
///
/// ```swift
/// let tools = Stage(from: .image("golang:1.24"), platform: .build) {
///   Run("GOARCH=\(BuildArgument.targetArchitecture) go build -o /out/app .")
/// }
/// ```
public struct StagePlatform: Hashable, Sendable {
  let word: Word

  /// The platform of the machine that builds: for compilers that make code for another one.
  public static let build = StagePlatform(word: Word(raw: "$BUILDPLATFORM"))
  /// The platform the image is for, which is also meant where none is written.
  public static let target = StagePlatform(word: Word(raw: "$TARGETPLATFORM"))

  /// Linux on a processor, for example `.linux("arm64")` or `.linux("arm", variant: "v7")`.
  public static func linux(_ architecture: String, variant: String? = nil) -> StagePlatform {
    .exactly(Platform(architecture: architecture, variant: variant))
  }

  /// One platform, whatever the build's target is.
  public static func exactly(_ platform: Platform) -> StagePlatform {
    StagePlatform(word: Word(literal: platform.description))
  }

  /// A platform with variables, as in `.spelled("linux/\(architecture)")`.
  ///
  /// Only global arguments have values there: see ``ContainerImage/arguments``.
  public static func spelled(_ word: Word) -> StagePlatform { StagePlatform(word: word) }
}
