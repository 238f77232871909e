extension Heredoc {
  /// Holds a text as it is: no variable in it means anything.
  init(literal content: String) {
    let isComplete = content.isEmpty || content.utf8.last == UInt8(ascii: "\n")
    let body = isComplete ? content : content + "\n"
    let expands = !body.utf8.contains { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "\\") }
    self.init(name: Self.name(for: body), body: body, expands: expands)
  }

  /// Holds a script for the stage's shell, which expands it itself (R2).
  init(script: String) {
    self.init(name: Self.name(for: script), body: script)
  }

  /// A name that no line of the body is equal to.
  ///
  /// Lines are bytes between line feeds: to a Swift `Character` a carriage return and a line feed
  /// are one.
  private static func name(for body: String) -> String {
    let lines = Set(
      body.utf8.split(separator: UInt8(ascii: "\n")).map { line in
        Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
      })
    var name = "EOF"
    var count = 1
    while lines.contains(Array(name.utf8)) {
      count += 1
      name = "EOF\(count)"
    }
    return name
  }
}
