extension Heredoc {
  /// Holds a text as it is: no variable in it means anything.
  init(literal content: String) {
    let body = content.isEmpty || content.hasSuffix("\n") ? content : content + "\n"
    self.init(
      name: Self.name(for: body), body: body, expands: !body.contains("$") && !body.contains("\\"))
  }

  /// Holds a script for the stage's shell, which expands it itself (R2).
  init(script: String) {
    self.init(name: Self.name(for: script), body: script)
  }

  /// A name that no line of the body is equal to.
  private static func name(for body: String) -> String {
    let lines = Set(body.split(separator: "\n", omittingEmptySubsequences: false))
    var name = "EOF"
    var count = 1
    while lines.contains(name[...]) || lines.contains("\(name)\r") {
      count += 1
      name = "EOF\(count)"
    }
    return name
  }
}
