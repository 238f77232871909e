import Foundation

/// What became of a case: an image, or a message.
enum CaseOutcome {
  case built(ImageArchive)
  case failed(String)
}

/// A program that builds cases.
enum CaseBuilder {
  /// The `pipeline` beside the tests, with this state directory.
  case pipeline(state: String)
  /// BuildKit behind docker's client: a command line and a directory that both can see.
  case buildKit(command: [String])

  /// Builds, as often as the case has edits.
  func build(_ workspace: CaseWorkspace) async throws -> CaseOutcome {
    for edit in [nil] + workspace.edits.map(Optional.some) {
      if let edit {
        try? FileManager.default.removeItem(atPath: workspace.output)
        try workspace.run(edit.words.dropFirst().first ?? "sh", edit.text)
      }
      let run = try await run(workspace)
      if run.status != 0 { return .failed(run.errors) }
    }
    return .built(try ImageArchive(at: workspace.output))
  }

  /// What a build that works tells of its steps.
  func log(of workspace: CaseWorkspace) async throws -> String {
    let run = try await run(workspace)
    guard run.status == 0 else { throw ConformanceCase.Malformed(description: run.errors) }
    return run.errors
  }

  private func run(_ workspace: CaseWorkspace) async throws -> ProgramRun {
    let options = try Self.options(of: workspace)
    switch self {
    case .pipeline(let state):
      return try await BuiltProgram.run(
        "pipeline", ["build", "--progress", "plain"] + options, state: state,
        in: workspace.root)
    case .buildKit(let command):
      let words = ["buildx", "build", "--progress", "plain", "--provenance=false"]
      let host = ProcessInfo.processInfo.environment["DOCKER_HOST"] ?? ""
      return try await ProgramRun.run(
        command[0], command.dropFirst() + words + ["--network", "host"] + options,
        environment: ["DOCKER_HOST": host])
    }
  }

  private static func options(of workspace: CaseWorkspace) throws -> [String] {
    let conformanceCase = workspace.conformanceCase
    let root = workspace.root
    var options = ["-f", root + "/" + conformanceCase.dockerfile]
    if let target = conformanceCase.target { options += ["--target", target] }
    if let platform = conformanceCase.platform { options += ["--platform", platform] }
    for argument in conformanceCase.arguments {
      options += ["--build-arg", workspace.resolve(argument)]
    }
    for (name, reference) in try BusyboxBase.shared.get().references.sorted(by: { $0.key < $1.key })
    where conformanceCase.uses(name) {
      options += ["--build-context", "\(name)=\(reference)"]
    }
    for context in conformanceCase.contexts {
      let parts = context.split(separator: "=", maxSplits: 1).map(String.init)
      options += ["--build-context", "\(parts[0])=\(absolute(parts[1], root))"]
    }
    for secret in conformanceCase.secrets {
      let fields = secret.split(separator: ",").map { field in
        field.hasPrefix("src=") ? "src=" + absolute(String(field.dropFirst(4)), root) : "\(field)"
      }
      options += ["--secret", fields.joined(separator: ",")]
    }
    return options + conformanceCase.options.map(workspace.resolve)
      + ["-o", "type=oci,dest=\(workspace.output)", workspace.contextPath]
  }

  private static func absolute(_ path: String, _ root: String) -> String {
    path.contains("://") ? path : (root + "/" + path as NSString).standardizingPath
  }
}
