/// Reads the parser directives in the first lines of a file (L1, L2).
struct DirectiveReader {
  private(set) var directives = StageGraph.Directives()
  /// The escape character as it stands in the bytes of the file.
  var escape: UInt8 { UInt8(ascii: directives.escape) }

  private var isDone = false

  init() {}

  /// Takes directives that were read before; more are not looked for.
  init(_ directives: StageGraph.Directives) {
    self.directives = directives
    isDone = true
  }

  /// After `#!` only the search for a frontend goes on: it skips that line, the parser does not.
  private var followsShebang = false
  private var seen: Set<String> = []

  /// Reads a line whose leading blanks are gone; true where it is a directive.
  ///
  /// - Throws: what is wrong with the directive, without a place.
  mutating func read(_ line: ArraySlice<UInt8>, number: Int) throws(Diagnostic) -> Bool {
    guard !isDone else { return false }
    if number == 1, line.starts(with: "#!".utf8) {
      followsShebang = true
      return false
    }
    guard let (name, value) = Self.directive(line) else {
      isDone = true
      return false
    }
    guard seen.insert(name).inserted else {
      if followsShebang { return false }
      throw Diagnostic(
        "only one '\(name)' directive can be used", help: "leave one of them out")
    }
    switch name {
    case "syntax": directives.syntax = value
    case "check": directives.check = value
    default:
      if followsShebang { return false }
      guard value == "\\" || value == "`" else {
        throw Diagnostic(
          "invalid escape token '\(value)' does not match ` or \\",
          help: "write '# escape=`' or leave the directive out")
      }
      directives.escape = value == "`" ? "`" : "\\"
    }
    return true
  }

  /// Ends the directives: whatever follows is an ordinary comment.
  mutating func finish() {
    isDone = true
  }

  /// The lower-case name and the value of a line such as `# escape=\``.
  private static func directive(_ line: ArraySlice<UInt8>) -> (String, String)? {
    guard line.first == UInt8(ascii: "#") else { return nil }
    let bytes = Array(line.dropFirst())
    let rest = Blanks.trimmed(0..<bytes.count, in: bytes)
    let name = bytes[rest].prefix { isLetter($0) || (48...57).contains($0) }
    guard let first = name.first, isLetter(first) else { return nil }
    let afterName = bytes[rest].dropFirst(name.count).drop(while: isSpace)
    guard afterName.first == UInt8(ascii: "=") else { return nil }
    let value = afterName.dropFirst().drop(while: isSpace)
    let known = String(decoding: name, as: UTF8.self).lowercased()
    guard !value.isEmpty, ["syntax", "escape", "check"].contains(known) else { return nil }
    return (known, String(decoding: value, as: UTF8.self))
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (65...90).contains(byte) || (97...122).contains(byte)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0C || byte == 0x0D
  }
}
