/// Follows shell text far enough to know how a value has to be spelled where the text stands.
///
/// Outside quotes a value is quoted; inside quotes it is escaped for them. Where neither is
/// possible, or where shells disagree about what the text means, a value is refused: a mistake
/// here would hand the value to the shell as program text.
struct ShellCommandScanner {
  /// Something to be inserted.
  enum Value {
    case word(String)
    case number(String)
    case list([String])
    /// The name of a variable.
    case reference(String)
  }

  private enum Context {
    case doubleQuotes
    case singleQuotes
    /// `$(…)` and plain parentheses in it: a command again.
    case parentheses
    /// `$((…))`.
    case arithmetic
    /// `${…}`.
    case braces
    case backquotes
    case comment
  }

  private var contexts: [Context] = []
  private var isEscaped = false
  private var previous: Unicode.Scalar = "\n"
  /// The word that is being read outside quotes.
  private var word = ""
  /// True right after `$(`.
  private var justOpened = false
  private var pipes = 0
  /// Why nothing after this place can be understood with certainty.
  private var doubt: String?
  /// True after a list: the next character has to end the word.
  private var needsSeparator = false
  private var followsList: Diagnostic?
  private var heredocs = ShellHeredocScanner()

  /// Whether digits at this place, with `<` or `>` behind them, would name a descriptor.
  var readsRedirections: Bool { contexts.isEmpty || contexts.last == .parentheses }

  /// Whether an unquoted `|` was read.
  var hasPipes: Bool { pipes > 0 }

  /// A problem that shows only when the text goes on, or ends, as it should not.
  var problemAtEnd: Diagnostic? { followsList }

  /// The text that stands for a value at this place.
  ///
  /// - Throws: a diagnostic if no text would be safe.
  func spelling(of value: Value) throws(Diagnostic) -> String {
    if let refusal = refusal(of: value) { throw refusal }
    let isQuoted = contexts.last == .doubleQuotes
    switch value {
    case .word(let text):
      switch contexts.last {
      case .doubleQuotes: return ShellCommand.insideDoubleQuotes(text)
      case .singleQuotes: return ShellCommand.insideSingleQuotes(text)
      default: return ShellCommand.quoted(text)
      }
    case .number(let digits): return digits
    case .list(let texts): return texts.map(ShellCommand.quoted).joined(separator: " ")
    case .reference(let name):
      return isQuoted || contexts.last == .arithmetic ? "${\(name)}" : "\"${\(name)}\""
    }
  }

  private func refusal(of value: Value) -> Diagnostic? {
    if let doubt {
      return Diagnostic("a value stands after \(doubt)", help: Self.rawHelp)
    }
    if heredocs.isInBody {
      return Diagnostic(
        "a value stands inside a here-document of the shell, where its quotes would be text",
        help: "pass it to the command as an argument, or insert it with '\\(raw:)'")
    }
    if heredocs.isInDelimiter {
      return Diagnostic("a value stands where '<<' wants the end of a here-document")
    }
    if contexts.contains(.comment) {
      return Diagnostic("a value stands in a comment of the shell", help: Self.rawHelp)
    }
    if contexts.contains(.backquotes) {
      return Diagnostic(
        "a value stands between backquotes, where no quoting is safe",
        help: "write '$(…)' in place of the backquotes")
    }
    if contexts.contains(.braces) {
      return Diagnostic(
        "a value stands inside '${…}', where its quotes would be text", help: Self.rawHelp)
    }
    if contexts.last != .singleQuotes, isEscaped || previous == "$" {
      return Diagnostic(
        "a value stands right after '\(isEscaped ? "\\" : "$")', which would change its meaning",
        help: "put the character into quotes, or insert the value with '\\(raw:)'")
    }
    switch (value, contexts.last) {
    case (.word, .arithmetic), (.list, .arithmetic):
      return Diagnostic(
        "text stands inside '$((…))', where only a number is safe",
        help: "insert a number, or text with '\\(raw:)'")
    case (.reference(let name), .singleQuotes):
      return Diagnostic(
        "'\(name)' stands inside single quotes, where the shell replaces no variable",
        help: "use double quotes")
    case (.list, .singleQuotes), (.list, .doubleQuotes):
      return Self.listInWord
    case (.list, _) where !" \t\n;&|(".unicodeScalars.contains(previous): return Self.listInWord
    default: return nil
    }
  }

  private static let rawHelp = "insert it with '\\(raw:)'"

  private static let listInWord = Diagnostic(
    "a list of values stands inside a word, but each of its values is a word of its own",
    help: "put blanks around it, or join the values into one first")

  /// Notes that a value stands here.
  mutating func skipValue(isList: Bool = false) {
    needsSeparator = isList
    previous = "'"
    word = ""
    justOpened = false
  }

  /// Refuses all later values.
  mutating func distrust(_ reason: String) {
    doubt = doubt ?? reason
  }

  /// Reads text that the shell will read as it is.
  mutating func read(_ text: String) {
    for scalar in text.unicodeScalars {
      if needsSeparator, !" \t\n;&|)".unicodeScalars.contains(scalar) {
        followsList = followsList ?? Self.listInWord
      }
      needsSeparator = false
      if heredocs.isInBody {
        heredocs.readBody(scalar)
      } else {
        readCommand(scalar)
      }
      previous = scalar
    }
  }

  private mutating func readCommand(_ scalar: Unicode.Scalar) {
    let context = contexts.last
    let wasOpened = justOpened
    justOpened = false
    if context == .singleQuotes {
      if scalar == "'" { contexts.removeLast() }
      return
    }
    if context == .comment {
      guard scalar == "\n" else { return }
      contexts.removeLast()
    } else if isEscaped {
      isEscaped = false
      word.unicodeScalars.append(scalar)
      return
    }
    if heredocs.isInDelimiter, heredocs.readDelimiter(scalar) { return }
    switch scalar {
    case "\\":
      isEscaped = true
    case "(" where previous == "$":
      contexts.append(.parentheses)
      justOpened = true
    case "(" where wasOpened:
      contexts[contexts.count - 1] = .arithmetic
      contexts.append(.arithmetic)
    case "{" where previous == "$": contexts.append(.braces)
    case "\"": toggle(.doubleQuotes)
    case "`": toggle(.backquotes)
    case "}" where context == .braces: contexts.removeLast()
    case "'" where context == .braces:
      doubt = "a quote inside '${…}', which shells read in different ways"
    case _ where context == .doubleQuotes || context == .braces: break
    default: readUnquoted(scalar)
    }
  }

  private mutating func readUnquoted(_ scalar: Unicode.Scalar) {
    let isInArithmetic = contexts.last == .arithmetic
    switch scalar {
    case "'" where previous == "$":
      doubt = "\"$'\", which shells read in different ways"
    case "'": contexts.append(.singleQuotes)
    case "(" where isInArithmetic: contexts.append(.arithmetic)
    case ")" where isInArithmetic: contexts.removeLast()
    case "(" where previous == "(":
      doubt = "'((', which shells read in different ways"
    case "(" where contexts.contains(.parentheses): contexts.append(.parentheses)
    case ")" where contexts.last == .parentheses: contexts.removeLast()
    case "#" where " \t\n;&|(".unicodeScalars.contains(previous) && !isInArithmetic:
      contexts.append(.comment)
    case "|": pipes += previous == "|" ? -1 : 1
    case "<" where previous == "<" && !isInArithmetic:
      if contexts.contains(.parentheses) {
        doubt = "a here-document inside '$(…)'"
      } else {
        heredocs.startDelimiter()
      }
    case "\n": heredocs.startBody()
    default: break
    }
    readWord(scalar)
  }

  /// `case` has closing parentheses without opening ones, so that the end of `$(…)` is not known.
  private mutating func readWord(_ scalar: Unicode.Scalar) {
    if " \t\n;&|()<>'".unicodeScalars.contains(scalar) {
      if word == "case", contexts.contains(.doubleQuotes) || contexts.contains(.parentheses) {
        doubt = doubt ?? "'case' inside '$(…)'"
      }
      word = ""
    } else {
      word.unicodeScalars.append(scalar)
    }
  }

  private mutating func toggle(_ context: Context) {
    if contexts.last == context {
      contexts.removeLast()
    } else {
      contexts.append(context)
    }
  }
}
