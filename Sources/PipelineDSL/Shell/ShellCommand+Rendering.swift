extension ShellCommand {
  /// What a command becomes: text, and mounts whose trees have no names yet.
  struct Rendered: Sendable {
    var script: ShellCommandText
    var mounts: [RunMount]
    var references: [Reference]
    var problem: Diagnostic?
  }

  /// The command as text, each value spelled for the place where it stands.
  var rendered: Rendered {
    var renderer = Renderer()
    for piece in pieces { renderer.add(piece) }
    return renderer.finish()
  }

  /// The command of an instruction that runs in a container later, where nothing can be mounted.
  func metadataStep(keyword: String, _ make: (CommandLine) -> Instruction) -> Step {
    let rendered = rendered
    var problem = rendered.problem
    if !rendered.mounts.isEmpty {
      problem = Diagnostic(
        "\(keyword) runs in a container, where nothing of the build is mounted",
        help: "copy the artifact into the stage and write the path it has there")
    } else if let argument = rendered.references.lazy.compactMap(\.argument).first {
      problem = Diagnostic(
        "\(keyword) runs in a container, where the build argument '\(argument.name)' has no value",
        help: "pass it on with 'Env(\"\(argument.name)\", \"\\(argument)\")' and use that variable")
    } else if rendered.script.needsHeredoc {
      problem = Diagnostic(
        "the text of \(keyword) does not fit on one line",
        help: "copy a script into the stage and start that")
    }
    return Step(
      .instruction(make(.shell(rendered.script.text))), references: rendered.references,
      problem: problem)
  }
}

/// Puts the pieces of a command together.
private struct Renderer {
  private var text = ""
  /// The text with a letter for each value: what the program's author wrote.
  private var skeleton = ""
  private var scanner = ShellCommandScanner()
  private var mounts: [RunMount] = []
  private var references: [Reference] = []
  private var problem: Diagnostic?
  private var artifactPaths: [ArtifactKey: String] = [:]
  private var cachePaths: Set<String> = []
  private var secrets: Set<Secret> = []
  /// A value of digits alone at the end of the text: before `<` or `>` it would be a descriptor.
  private var lastNumber: String?
  private var hasValues = false

  mutating func add(_ piece: ShellCommand.Piece) {
    switch piece {
    case .text(let literal):
      if let number = lastNumber, literal.hasPrefix("<") || literal.hasPrefix(">") {
        text = String(text.dropLast(number.count)) + "'\(number)'"
      }
      if !literal.isEmpty { lastNumber = nil }
      if skeleton.isEmpty, ShellFlavor(script: literal) == .other {
        scanner.distrust("a first line with '#!', whose language is not that of a shell")
      }
      text += literal
      skeleton += literal
      scanner.read(literal)
    case .value(let value): insert(.word(value))
    case .number(let value): insert(.number(value))
    case .list(let values): insert(.list(values))
    case .reference(let reference):
      references.append(reference)
      insert(.reference(reference.name))
    case .cache(let cache):
      insert(.word(cache.path))
      if cachePaths.insert(cache.id).inserted {
        mounts.append(.cache(cache, at: Word(literal: cache.path)))
      }
    case .secretFile(let secret):
      insert(.word(secret.path))
      if secrets.insert(secret).inserted { mounts.append(.secret(secret)) }
    case .artifact(let artifact):
      let key = ArtifactKey(artifact.reference)
      let path = artifactPaths[key] ?? "/run/artifacts/\(artifactPaths.count + 1)/\(key.fileName)"
      insert(.word(path))
      if artifactPaths.updateValue(path, forKey: key) == nil {
        mounts.append(.bind(artifact, at: Word(literal: path), access: .readOnly))
      }
    }
  }

  mutating func finish() -> ShellCommand.Rendered {
    let script = ShellCommandText(
      text: Self.trimmed(text), skeleton: Self.trimmed(skeleton), hasPipes: scanner.hasPipes,
      hasValues: hasValues)
    if script.text.isEmpty { problem = problem ?? Diagnostic("the command is empty") }
    problem = problem ?? scanner.problemAtEnd
    return ShellCommand.Rendered(
      script: script, mounts: mounts, references: references, problem: problem)
  }

  private mutating func insert(_ value: ShellCommandScanner.Value) {
    lastNumber = nil
    do {
      let spelled = try scanner.spelling(of: value)
      let isNumber = !spelled.isEmpty && spelled.utf8.allSatisfy { (48...57).contains($0) }
      text += spelled
      if isNumber, scanner.readsRedirections { lastNumber = spelled }
    } catch {
      problem = problem ?? error
    }
    skeleton += "x"
    switch value {
    case .list:
      hasValues = true
      scanner.skipValue(isList: true)
    case .word:
      hasValues = true
      scanner.skipValue()
    case .number, .reference: scanner.skipValue()
    }
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
