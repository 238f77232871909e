extension ShellCommand {
  /// What a command becomes: an instruction, and mounts whose trees have no names yet.
  struct Rendered {
    var instruction: RunInstruction
    var mounts: [RunMount]
    var problem: Diagnostic?
  }

  /// The command as a `RUN`.
  var rendered: Rendered {
    var text = ""
    var mounts: [RunMount] = []
    var problem: Diagnostic?
    var scanner = ShellCommandScanner()
    var artifactPaths: [ArtifactKey: String] = [:]
    var cachePaths: Set<String> = []
    var secrets: Set<Secret> = []
    for piece in pieces {
      if case .text(let literal) = piece {
        text += literal
        scanner.read(literal)
        continue
      }
      problem = problem ?? scanner.refusal
      scanner.skipValue()
      switch piece {
      case .text: break
      case .quoted(let value): text += value
      case .cache(let cache):
        text += Self.quoted(cache.path)
        if cachePaths.insert(cache.id).inserted {
          mounts.append(.cache(cache, at: Word(literal: cache.path)))
        }
      case .secretFile(let secret):
        text += Self.quoted(secret.path)
        if secrets.insert(secret).inserted { mounts.append(.secret(secret)) }
      case .artifact(let artifact):
        let key = ArtifactKey(artifact.reference)
        let path = artifactPaths[key] ?? "/run/artifacts/\(artifactPaths.count + 1)/\(key.fileName)"
        text += Self.quoted(path)
        if artifactPaths.updateValue(path, forKey: key) == nil {
          mounts.append(.bind(artifact, at: Word(literal: path), access: .readOnly))
        }
      }
    }
    let instruction = Self.instruction(for: Self.trimmed(text))
    return Rendered(instruction: instruction, mounts: mounts, problem: problem)
  }

  /// The command of an instruction that runs in a container later, where nothing can be mounted.
  func metadataStep(keyword: String, _ make: (CommandLine) -> Instruction) -> Step {
    let rendered = rendered
    var problem = rendered.problem
    if !rendered.mounts.isEmpty {
      problem = Diagnostic(
        "\(keyword) runs in a container, where nothing of the build is mounted",
        help: "copy the artifact into the stage and write the path it has there")
    } else if !rendered.instruction.heredocs.isEmpty {
      problem = Diagnostic(
        "the text of \(keyword) has several lines",
        help: "copy a script into the stage and start that")
    }
    return Step(.instruction(make(rendered.instruction.command)), problem: problem)
  }

  /// Several lines become a here-document, which no `&&` holds together: hence `set -eu` (W10).
  private static func instruction(for text: String) -> RunInstruction {
    guard text.utf8.contains(UInt8(ascii: "\n")) else { return RunInstruction(.shell(text)) }
    let body = (text.hasPrefix("#!") ? "" : "set -eu\n") + text + "\n"
    let heredoc = Heredoc(script: body)
    return RunInstruction(.shell("<<" + heredoc.name), heredocs: [heredoc])
  }

  /// Without blanks at its ends, which no Dockerfile keeps.
  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(scalars[first...last])
  }

  /// One artifact of one tree, so that using it twice mounts it once.
  private struct ArtifactKey: Hashable {
    let tree: BaseImage.Identity
    let path: String

    init(_ place: ArtifactPlace) {
      tree = place.origin.identity
      path = place.declaration.path
    }

    var fileName: String {
      path.split(separator: "/").last.map(String.init) ?? "root"
    }
  }
}
