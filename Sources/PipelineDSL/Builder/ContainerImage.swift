/// A program that builds a container image.
///
/// The type is the program: `@main` starts it, and PipelineRunner gives it the command line.
///
/// ```swift
/// import PipelineDSL
/// import PipelineRunner
///
/// @main
/// struct Hello: ContainerImage {
///   func image() -> Stage {
///     Stage(from: .image("alpine:3")) {
///       Command("echo", "hello")
///     }
///   }
/// }
/// ```
public protocol ContainerImage: Sendable {
  init()

  /// Declares the stages and returns the one that is the image.
  ///
  /// Nothing runs here: stages that the result does not use are left out. An image that depends on
  /// something, such as a file that it reads, may throw; a ``Diagnostic`` is shown with its place.
  func image() throws -> Stage

  /// What the image is called where the command line gives no `--tag`.
  var name: String { get }

  /// The directory of the main build context where the command line names none.
  ///
  /// A path that is not absolute starts at the working directory.
  var contextDirectory: String { get }

  /// Arguments to declare before the first stage, in this order.
  ///
  /// Those in the names of base images are declared by themselves. A stage that declares an
  /// argument of the same name without a default takes the value from here.
  var arguments: [BuildArgument] { get }

  /// The time, in seconds since 1970, that every file and the configuration get at most.
  ///
  /// With it the image's digest is a function of its inputs.
  var sourceDateEpoch: Int? { get }

  /// The platforms the image is for where the command line names none; empty is this machine's.
  var platforms: [Platform] { get }

  /// Annotations of the image's manifest; labels are a matter of ``Label``.
  var annotations: [String: String] { get }
}

extension ContainerImage {
  /// The type's name as words joined by hyphens: `MyImage` is called `my-image`.
  public var name: String {
    var words = ""
    var previousIsCapital = true
    for character in String(describing: Self.self) where character.isASCII {
      if character.isUppercase, !previousIsCapital { words.append("-") }
      previousIsCapital = character.isUppercase
      words += character.lowercased()
    }
    return words
  }

  public var contextDirectory: String { "." }

  public var arguments: [BuildArgument] { [] }

  public var sourceDateEpoch: Int? { nil }

  public var platforms: [Platform] { [] }

  public var annotations: [String: String] { [:] }

  /// The directory of a source file of the program, wherever the program is started.
  ///
  /// ```swift
  /// var contextDirectory: String { Self.sourceDirectory() }
  /// ```
  public static func sourceDirectory(of file: StaticString = #filePath) -> String {
    let path = "\(file)"
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return String(path[..<slash])
  }
}
