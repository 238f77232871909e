/// Refuses instructions that no build could carry out, where the declaration has them.
struct InstructionCheck {
  private let location: SourceLocation?

  init(_ location: SourceLocation?) {
    self.location = location
  }

  /// - Throws: a diagnostic for what is empty, has a wrong name or holds a zero byte.
  func check(_ instruction: Instruction) throws(Diagnostic) {
    for word in instruction.words { try check(text: word.raw) }
    switch instruction {
    case .copy(let copy): try check("Copy", copy.sources, to: copy.destination)
    case .add(let add): try check("Add", add.sources, to: add.destination)
    case .run(let run): try check(run)
    case .command(let command), .entrypoint(let command), .healthcheck(.command(let command, _)):
      try check(command)
    case .healthcheck(.none): break
    case .shell(let arguments):
      try check(.exec(arguments))
      if let problem = Self.problem(of: arguments, in: "Shell") { throw located(problem) }
    case .argument(let arguments):
      for argument in arguments where !Reference.isName(argument.name) {
        throw problem(
          "'\(argument.name)' cannot be the name of an argument",
          help: "use letters, digits and '_', and no digit first")
      }
    case .environment(let assignments): try check("Env", assignments, forbidden: "=")
    case .label(let assignments): try check("Label", assignments, forbidden: nil)
    case .expose(let ports): try check("Expose", ports, "port")
    case .volume(let paths): try check("Volume", paths, "path")
    case .user(let word): try check("User", [word], "user")
    case .workingDirectory(let word): try check("WorkingDirectory", [word], "path")
    case .stopSignal(let word): try check("StopSignal", [word], "signal")
    case .maintainer(let name): try check(text: name)
    case .onBuild: break
    }
  }

  private func problem(_ message: String, help: String? = nil) -> Diagnostic {
    Diagnostic(message, at: location, help: help)
  }

  private func isEmpty(_ word: Word) -> Bool { word.raw.isEmpty || word.raw == "\"\"" }

  private func check(text: String) throws(Diagnostic) {
    if let reason = PlainText.problem(of: text) { throw problem(reason) }
  }

  private func check(_ name: String, _ words: [Word], _ what: String) throws(Diagnostic) {
    guard !words.isEmpty else { throw problem("'\(name)' has no \(what)") }
    if words.contains(where: isEmpty) { throw problem("a \(what) of '\(name)' is empty") }
  }

  private func check(
    _ name: String, _ sources: [CopySource], to destination: Word
  ) throws(Diagnostic) {
    guard !sources.isEmpty else {
      throw problem("'\(name)' has no source", help: "name what is to be copied before 'to:'")
    }
    for source in sources {
      switch source {
      case .path(let path):
        if isEmpty(path) {
          throw problem("a source of '\(name)' is empty", help: "the whole context is \".\"")
        }
      case .heredoc(let heredoc): try check(text: heredoc.body)
      }
    }
    if isEmpty(destination) {
      throw problem(
        "the destination of '\(name)' is empty", help: "the working directory is \".\"")
    }
  }

  private func check(_ command: CommandLine) throws(Diagnostic) {
    switch command {
    case .shell(let text): try check(text: text)
    case .exec(let arguments):
      for argument in arguments { try check(text: argument) }
    }
  }

  /// What is wrong with a vector of arguments; an instruction that is spelled directly may be empty.
  static func problem(
    of arguments: [String], in name: String, mayBeEmpty: Bool = false
  ) -> Diagnostic? {
    guard arguments.first?.isEmpty ?? !mayBeEmpty else { return nil }
    return Diagnostic("'\(name)' names no program")
  }

  private func located(_ problem: Diagnostic) -> Diagnostic {
    var problem = problem
    problem.location = location
    return problem
  }

  private func check(
    _ name: String, _ assignments: Assignments, forbidden: Character?
  ) throws(Diagnostic) {
    guard !assignments.all.isEmpty else { throw problem("'\(name)' assigns nothing") }
    for assignment in assignments.all {
      if isEmpty(assignment.name) { throw problem("a name in '\(name)' is empty") }
      if let forbidden, assignment.name.raw.contains(forbidden) {
        throw problem("the name \(assignment.name.raw) in '\(name)' has a '\(forbidden)'")
      }
    }
  }

  private func check(_ run: RunInstruction) throws(Diagnostic) {
    try check(run.command)
    for heredoc in run.heredocs { try check(text: heredoc.body) }
    var targets: Set<Word> = []
    for mount in run.mounts {
      for field in mount.fields {
        guard let value = field.value else { continue }
        if isEmpty(value) { throw problem("the \(field.key) of a mount is empty") }
      }
      guard let target = mount["target"] else { continue }
      if target.raw == "/" { throw problem("nothing can be mounted over the whole stage, at '/'") }
      if !targets.insert(target).inserted {
        throw problem("two things are mounted at '\(target.raw)'")
      }
    }
  }
}
