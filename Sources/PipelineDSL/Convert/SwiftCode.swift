/// Source of one expression: a call, and calls on its result.
struct SwiftCode {
  private var call: String
  private var modifiers: [String] = []

  /// A call such as `Copy("a", to: "/b")`; arguments that have several lines are set apart.
  init(_ name: String, _ arguments: [String], width: Int = SwiftLiteral.width - 8) {
    let line = "\(name)(\(arguments.joined(separator: ", ")))"
    if !line.contains("\n"), line.utf8.count <= width {
      call = line
    } else {
      call = "\(name)(\n" + Self.indented(arguments.joined(separator: ",\n")) + "\n)"
    }
  }

  /// A value that is no call, such as `Healthcheck.none`.
  init(verbatim text: String) {
    call = text
  }

  mutating func append(_ name: String, _ arguments: [String]) {
    modifiers.append(SwiftCode(name, arguments).call)
  }

  /// The whole expression, without a line feed at its end.
  var text: String {
    let line = ([call] + modifiers).joined(separator: ".")
    let isShort = line.utf8.count <= SwiftLiteral.width - 8 && !line.contains("\n")
    if modifiers.isEmpty || isShort { return line }
    let lead = call.contains("\n") ? "\n." : "\n  ."
    return call + modifiers.map { lead + $0.replacingLineFeeds(call) }.joined()
  }

  /// An array's literal, an element a line where that is needed.
  static func list(_ elements: [String]) -> String {
    let line = "[" + elements.joined(separator: ", ") + "]"
    if !line.contains("\n"), line.utf8.count <= SwiftLiteral.width - 16 { return line }
    return "[\n" + elements.map { indented($0) + ",\n" }.joined() + "]"
  }

  /// Lines moved to the right; empty ones stay empty.
  static func indented(_ text: String, by count: Int = 2) -> String {
    let blanks = String(repeating: " ", count: count)
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : blanks + $0 }.joined(separator: "\n")
  }
}

extension String {
  /// Keeps the lines of a modifier below its own start.
  fileprivate func replacingLineFeeds(_ call: String) -> String {
    guard !call.contains("\n") else { return self }
    return SwiftCode.indented(self).drop { $0 == " " }.description
  }
}
