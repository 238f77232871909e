/// A file that the ignore file leaves out cannot be copied.
struct CopyIgnoredFile: CheckRule {
  let id = "CopyIgnoredFile"
  let summary = "Files that the ignore file excludes should not be copied"

  func check(_ input: CheckInput) -> [Diagnostic] {
    // With exceptions, an excluded directory may still have something in it.
    guard let ignore = input.ignore, !ignore.isEmpty, !ignore.hasExceptions else { return [] }
    var found: [Diagnostic] = []
    input.walk { placed, variables in
      for word in Self.sources(placed.step.instruction) {
        guard let path = variables.expand(word), !Self.isRemote(path),
          Self.isExcluded(path, by: ignore)
        else { continue }
        found.append(
          finding(
            "attempting to \(placed.step.instruction.keyword) '\(path)', which the ignore file "
              + "excludes", at: input.place(of: word.raw, in: placed.location),
            help: "remove the pattern from .dockerignore, or add an exception '!\(path)' below it"))
      }
    }
    return found
  }

  private static func sources(_ instruction: Instruction) -> [Word] {
    let sources: [CopySource]
    switch instruction {
    case .copy(let copy) where copy.from == nil: sources = copy.sources
    case .add(let add): sources = add.sources
    default: return []
    }
    return sources.compactMap { source in
      guard case .path(let word) = source else { return nil }
      return word
    }
  }

  private static func isRemote(_ path: String) -> Bool {
    path.contains("://") || path.hasPrefix("git@")
  }

  private static func isExcluded(_ source: String, by ignore: IgnorePatterns) -> Bool {
    var path = PatternPath.clean(Array(source.utf8)[...])
    if path.first == UInt8(ascii: "/") { path.removeFirst() }
    if path.isEmpty || path == [UInt8(ascii: ".")] {
      return ignore.lines.contains { ["*", "**", "**/*"].contains($0) }
    }
    return ignore.excludes(path)
  }
}
