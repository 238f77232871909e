/// Follows shell text far enough to know whether a value may be inserted where the text stands.
///
/// A quoted value is one word only outside quotes and here-documents. Inside them its own quotes
/// would be text, or would end the surrounding ones: the accident that quoting is to prevent.
struct ShellCommandScanner {
  private enum Context {
    case doubleQuotes
    case singleQuotes
    /// `$(…)` and plain parentheses in it: a command again.
    case parentheses
    /// `${…}`.
    case braces
    case backquotes
    case comment
  }

  private var contexts: [Context] = []
  private var isEscaped = false
  private var previous: Unicode.Scalar = "\n"
  /// The word after `<<` while it is being read.
  private var delimiter: String?
  private var pendingDelimiters: [String] = []
  /// The here-document whose body is being read, and the line reached so far.
  private var bodyDelimiter: String?
  private var bodyLine = ""

  /// Why a value cannot stand here, nil where it can.
  var refusal: Diagnostic? {
    if bodyDelimiter != nil {
      return Diagnostic(
        "a value stands inside a here-document of the shell, where its quotes would be text",
        help: "pass it to the command as an argument, or insert it with '\\(raw:)'")
    }
    switch contexts.last {
    case .doubleQuotes, .singleQuotes:
      return Diagnostic(
        "a value stands inside quotes, but it is quoted already",
        help: "leave out the quotes around it, or insert it with '\\(raw:)'")
    case .braces:
      return Diagnostic(
        "a value stands inside '${…}', where its quotes would be text",
        help: "insert it with '\\(raw:)'")
    case .comment:
      return Diagnostic(
        "a value stands in a comment of the shell", help: "insert it with '\\(raw:)'")
    case .parentheses, .backquotes, nil: return nil
    }
  }

  /// Notes that a quoted value stands here.
  mutating func skipValue() {
    previous = "'"
  }

  /// Reads text that the shell will read as it is.
  mutating func read(_ text: String) {
    for scalar in text.unicodeScalars {
      if bodyDelimiter != nil {
        readBody(scalar)
      } else {
        readCommand(scalar)
      }
      previous = scalar
    }
  }

  private mutating func readBody(_ scalar: Unicode.Scalar) {
    guard scalar == "\n" else {
      bodyLine.unicodeScalars.append(scalar)
      return
    }
    let line = bodyLine.drop { $0 == "\t" }
    if line == bodyDelimiter ?? "" {
      bodyDelimiter = pendingDelimiters.isEmpty ? nil : pendingDelimiters.removeFirst()
    }
    bodyLine = ""
  }

  private mutating func readCommand(_ scalar: Unicode.Scalar) {
    let context = contexts.last
    if context == .singleQuotes {
      if scalar == "'" { contexts.removeLast() }
      return
    }
    if context == .comment {
      guard scalar == "\n" else { return }
      contexts.removeLast()
    } else if isEscaped {
      isEscaped = false
      return
    }
    if delimiter != nil, readDelimiter(scalar) { return }
    if scalar == "\\" {
      isEscaped = true
    } else if scalar == "(", previous == "$" {
      contexts.append(.parentheses)
    } else if scalar == "{", previous == "$" {
      contexts.append(.braces)
    } else if scalar == "\"" {
      toggle(.doubleQuotes)
    } else if scalar == "`" {
      toggle(.backquotes)
    } else if scalar == "}", context == .braces {
      contexts.removeLast()
    } else if context != .doubleQuotes, context != .braces {
      readUnquoted(scalar)
    }
  }

  private mutating func readUnquoted(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "'": contexts.append(.singleQuotes)
    case "(" where contexts.contains(.parentheses): contexts.append(.parentheses)
    case ")" where contexts.last == .parentheses: contexts.removeLast()
    case "#" where " \t\n;&|(".unicodeScalars.contains(previous): contexts.append(.comment)
    case "<" where previous == "<" && !contexts.contains(.parentheses): delimiter = ""
    case "\n" where !pendingDelimiters.isEmpty:
      bodyDelimiter = pendingDelimiters.removeFirst()
    default: break
    }
  }

  /// Reads on in the word after `<<`; false once the word has ended.
  private mutating func readDelimiter(_ scalar: Unicode.Scalar) -> Bool {
    let word = delimiter ?? ""
    if scalar == "<" {
      // `<<<` is a here-string: an ordinary word follows.
      delimiter = nil
      return true
    }
    if word.isEmpty, scalar == "-" || scalar == " " || scalar == "\t" { return true }
    if "'\"\\".unicodeScalars.contains(scalar) { return true }
    if " \t\n;&|<>()".unicodeScalars.contains(scalar) {
      if !word.isEmpty { pendingDelimiters.append(word) }
      delimiter = nil
      return false
    }
    delimiter = word + String(scalar)
    return true
  }

  private mutating func toggle(_ context: Context) {
    if contexts.last == context {
      contexts.removeLast()
    } else {
      contexts.append(context)
    }
  }
}
