/// Spellings of docker's command line that the argument parser has no form for.
enum DockerSpelling {
  /// The option that takes the value of a flag which docker gives one.
  static let sbomValue = "sbom-value"

  /// Arguments in which a flag with a value is an option with one: `--sbom=true`, `--sbom false`.
  ///
  /// A bare `--sbom` stays a flag. What follows it is taken for its value only where it looks like
  /// nothing else: a build context may follow as well.
  static func normalized(_ arguments: [String]) -> [String] {
    var result: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return result + [argument] + rest }
      if argument.hasPrefix("--sbom=") {
        result.append("--\(sbomValue)\(argument.dropFirst("--sbom".count))")
      } else if argument == "--sbom", let next = rest.first, isSBOMValue(next) {
        result.append("--\(sbomValue)=\(next)")
        rest.removeFirst()
      } else {
        result.append(argument)
      }
    }
    return result
  }

  private static func isSBOMValue(_ text: String) -> Bool {
    text == "true" || text == "false" || text.hasPrefix("generator=")
  }
}
