/// EXPOSE has no host side: address and host port are dropped (M3).
struct ExposeInvalidFormat: CheckRule {
  let id = "ExposeInvalidFormat"
  let summary = "EXPOSE should name container ports only"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.flatMap { placed -> [Diagnostic] in
      guard case .expose(let words) = placed.step.instruction else { return [] }
      return words.map(\.raw).compactMap { port in
        guard let inner = Self.containerPart(port) else { return nil }
        return finding(
          "EXPOSE should not define a host address or port: '\(port)'",
          at: input.place(of: port, in: placed.location),
          help: "write '\(inner)'; host ports are chosen when a container is run")
      }
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let range = diagnostic.location.flatMap(source.range(of:)),
      let inner = Self.containerPart(source.text(range))
    else { return [] }
    return [SourceEdit(range, with: inner)]
  }

  /// What stands after the last colon; nil where there is none, or where a variable may hold it.
  private static func containerPart(_ port: String) -> String? {
    guard !port.contains("$"), !port.contains(where: \.isWhitespace),
      let colon = port.lastIndex(of: ":")
    else { return nil }
    return String(port[port.index(after: colon)...])
  }
}
