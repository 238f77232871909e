/// Protocols are lower case in an image's config (M3).
struct ExposeProtoCasing: CheckRule {
  let id = "ExposeProtoCasing"
  let summary = "The protocol in EXPOSE should be lower case"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.flatMap { placed -> [Diagnostic] in
      guard case .expose(let words) = placed.step.instruction else { return [] }
      return words.map(\.raw).filter(Self.hasCapitals).map { port in
        finding(
          "protocol of '\(port)' in EXPOSE should be lower case",
          at: input.place(of: port, in: placed.location), help: "write '\(Self.lower(port))'")
      }
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let range = diagnostic.location.flatMap(source.range(of:)) else { return [] }
    let text = source.text(range)
    return Self.hasCapitals(text) ? [SourceEdit(range, with: Self.lower(text))] : []
  }

  private static func hasCapitals(_ port: String) -> Bool { port != lower(port) }

  /// The port with its protocol in lower case; what holds a variable stays as it is.
  private static func lower(_ port: String) -> String {
    guard let slash = port.lastIndex(of: "/"), !port[slash...].contains("$"),
      !port.contains(where: \.isWhitespace)
    else { return port }
    return port[..<slash] + port[slash...].lowercased()
  }
}
