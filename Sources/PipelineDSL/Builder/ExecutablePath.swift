/// Where an executable lies in a stage that starts it.
struct ExecutablePath {
  private let executable: ArtifactPlace
  private let stage: Stage

  init(_ executable: ArtifactPlace, in stage: Stage) {
    self.executable = executable
    self.stage = stage
  }

  /// The destination of its copy, or its own path where the stage inherits or makes it.
  ///
  /// - Throws: a diagnostic if the stage does not have the executable.
  func path(for step: Step) throws(Diagnostic) -> String {
    let identity = executable.origin.identity
    var current: Stage? = stage
    while let visited = current {
      if identity == .stage(visited) { return executable.declaration.path }
      for candidate in visited.declaration.steps.reversed() {
        guard case .copy(let copy, let origin, _) = candidate.action, origin.identity == identity
        else { continue }
        for source in copy.sources {
          if let rest = Self.remainder(of: executable.declaration.path, below: source) {
            return try destination(of: copy, rest, for: step)
          }
        }
      }
      if visited.declaration.base.identity == identity { return executable.declaration.path }
      if case .stage(let base) = visited.declaration.base.kind {
        current = base
      } else {
        current = nil
      }
    }
    throw Diagnostic(
      "'\(executable.declaration.path)' is not in this stage", at: step.location,
      notes: [
        Diagnostic.Note("the executable is declared here", at: executable.declaration.location)
      ],
      help: "copy it first: 'Copy(…, to: \"/usr/bin/…\")'")
  }

  /// What remains of a path below a source that was copied: empty for the path itself, nil where
  /// the source is something else.
  private static func remainder(of path: String, below source: CopySource) -> Substring? {
    guard case .path(let word) = source else { return nil }
    if word == Word(exactPath: path) { return "" }
    var directory = word.raw[...]
    while directory.hasSuffix("/") { directory = directory.dropLast() }
    guard path.hasPrefix(directory + "/"), word == Word(exactPath: word.raw) else { return nil }
    return path.dropFirst(directory.count + 1)
  }

  private func destination(
    of copy: CopyInstruction, _ rest: Substring, for step: Step
  ) throws(Diagnostic) -> String {
    let destination = copy.destination.raw
    guard destination.hasPrefix("/"), !destination.contains("$"), !copy.keepsParents else {
      throw Diagnostic(
        "the executable's path is not known: it was copied to '\(destination)'",
        at: step.location, help: "copy it to an absolute path")
    }
    // The contents of a directory land in the destination, whether it ends in '/' or not (C3).
    if !rest.isEmpty { return destination + (destination.hasSuffix("/") ? "" : "/") + rest }
    guard destination.hasSuffix("/") else { return destination }
    return destination + (executable.declaration.path.split(separator: "/").last ?? "")
  }
}
