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
        if case .copy(let copy, let origin, let artifact) = candidate.action,
          origin.identity == identity, artifact?.path == executable.declaration.path
        {
          return try destination(of: copy, for: step)
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

  private func destination(
    of copy: CopyInstruction, for step: Step
  ) throws(Diagnostic) -> String {
    let destination = copy.destination.raw
    guard destination.hasPrefix("/"), !destination.contains("$") else {
      throw Diagnostic(
        "the executable's path is not known: it was copied to '\(destination)'",
        at: step.location, help: "copy it to an absolute path")
    }
    guard destination.hasSuffix("/") else { return destination }
    return destination + (executable.declaration.path.split(separator: "/").last ?? "")
  }
}
