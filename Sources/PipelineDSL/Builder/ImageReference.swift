/// The name of an image in a registry, as `FROM` spells it.
///
/// A literal or an interpolation; a ``BuildArgument`` in it becomes a global `ARG`.
///
/// ```swift
/// let version = BuildArgument("PYTHON", default: "3")
/// Stage(from: .image("python:\(version)-alpine")) { … }
/// ```
public struct ImageReference: Sendable, ExpressibleByStringInterpolation {
  /// The reference in Dockerfile spelling.
  let text: String
  /// The arguments that the spelling refers to.
  let arguments: [BuildArgument]

  public init(stringLiteral value: String) {
    text = value
    arguments = []
  }

  public init(stringInterpolation: StringInterpolation) {
    text = stringInterpolation.text
    arguments = stringInterpolation.arguments
  }

  private init(text: String, arguments: [BuildArgument]) {
    self.text = text
    self.arguments = arguments
  }

  /// Takes Dockerfile text, as in `.spelled("alpine:${TAG:-3}", using: tag)`.
  public static func spelled(_ text: String, using arguments: BuildArgument...) -> ImageReference {
    ImageReference(text: text, arguments: arguments)
  }

  static func spelled(_ text: String, using arguments: [BuildArgument]) -> ImageReference {
    ImageReference(text: text, arguments: arguments)
  }

  func appending(_ suffix: String) -> ImageReference {
    ImageReference(text: text + suffix, arguments: arguments)
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""
    fileprivate var arguments: [BuildArgument] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      text += literal
    }

    /// Inserts a value known to the program.
    public mutating func appendInterpolation(_ value: some StringProtocol) {
      text += value
    }

    /// Inserts a number.
    public mutating func appendInterpolation(_ value: some BinaryInteger) {
      text += String(value)
    }

    /// Inserts a value that the command line may set.
    public mutating func appendInterpolation(_ argument: BuildArgument) {
      text += "${\(argument.name)}"
      arguments.append(argument)
    }
  }

  /// The reference without what is meant where nothing is written, as contexts are looked up (S2).
  var shortest: String {
    var rest = text[...]
    for prefix in ["docker.io/", "index.docker.io/", "library/"] where rest.hasPrefix(prefix) {
      rest = rest.dropFirst(prefix.count)
    }
    return String(rest.hasSuffix(":latest") ? rest.dropLast(7) : rest)
  }

  /// What is wrong with the reference, nil where nothing is.
  ///
  /// Only the shape is checked: what the parts may hold is the registry's affair. A reference with
  /// arguments is known only once they have values.
  var problem: String? {
    if text.isEmpty { return "an image reference is empty" }
    guard arguments.isEmpty else { return nil }
    if text == "scratch" { return "'scratch' is not an image: write '.scratch'" }
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"),
        UInt8(ascii: "["), UInt8(ascii: "]"):
        true
      default: false
      }
    }
    guard isPlain else { return "'\(text)' has a character that no image reference has" }
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    if halves.count > 2 { return "'\(text)' has more than one '@'" }
    if halves.count == 2, let reason = Self.digestProblem(halves[1]) { return reason }
    let components = halves[0].split(separator: "/", omittingEmptySubsequences: false)
    if components.contains("") { return "'\(text)' has an empty part" }
    let last = components[components.count - 1].split(
      separator: ":", omittingEmptySubsequences: false)
    if last.count > 2 || last.contains("") { return "'\(text)' has no proper tag after ':'" }
    var names = components
    names[names.count - 1] = last[0]
    if names.count > 1, Self.isHost(names[0]) { names.removeFirst() }
    if names.contains(where: Self.hasCapitals) {
      return "'\(text)' has capital letters: repository names have none"
    }
    return nil
  }

  private static func isHost(_ part: Substring) -> Bool {
    part.contains(".") || part.contains(":") || part == "localhost" || hasCapitals(part)
  }

  private static func hasCapitals(_ part: Substring) -> Bool {
    part.utf8.contains { (65...90).contains($0) }
  }

  private static func digestProblem(_ digest: Substring) -> String? {
    let parts = digest.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[1].utf8.count >= 32,
      parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return "'\(digest)' is not a digest such as 'sha256:' and 64 hexadecimal digits" }
    if parts[0] == "sha256", parts[1].utf8.count != 64 {
      return "'\(digest)' has \(parts[1].utf8.count) digits after 'sha256:', not 64"
    }
    return nil
  }
}
