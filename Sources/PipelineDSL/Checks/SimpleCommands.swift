/// The simple commands of a shell text, as far as checks need to know them.
///
/// Quotes, comments and nested substitutions are respected; grammar is not. What a rule concludes
/// from it is a warning at most.
struct SimpleCommands {
  /// What stands between a command and the one before it.
  enum Connection {
    case start
    case and
    case or
    case pipe
    case sequence
  }

  struct Command {
    var connection: Connection
    var words: [String]
  }

  private(set) var commands: [Command] = []

  private var scalars: ArraySlice<Unicode.Scalar>
  private var word: String?
  private var words: [String] = []
  private var connection = Connection.start

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)[...]
    read()
  }

  /// The first word of each command, without a path.
  var programs: [String] {
    commands.compactMap { $0.words.first?.split(separator: "/").last.map(String.init) }
  }

  private mutating func read() {
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "'": quote(until: "'", escapes: false)
      case "\"": quote(until: "\"", escapes: true)
      case "\\":
        guard let next = scalars.popFirst() else { break }
        if next != "\n" { append(next) }
      case " ", "\t", "\r": endWord()
      case "\n", ";": endCommand(.sequence)
      case "#" where word == nil: scalars = scalars.drop { $0 != "\n" }
      case "$" where scalars.first == "(" || scalars.first == "{": nest(scalar)
      case "`": quote(until: "`", escapes: true)
      case "(", ")", "{", "}": if word == nil { endCommand(.sequence) } else { append(scalar) }
      case "&":
        if scalars.first == "&" {
          scalars.removeFirst()
          endCommand(.and)
        } else if scalars.first == ">" || word?.last == ">" {
          append(scalar)
        } else {
          endCommand(.sequence)
        }
      case "|":
        if scalars.first == "|" {
          scalars.removeFirst()
          endCommand(.or)
        } else {
          if scalars.first == "&" { scalars.removeFirst() }
          endCommand(.pipe)
        }
      default: append(scalar)
      }
    }
    endCommand(.sequence)
  }

  private mutating func append(_ scalar: Unicode.Scalar) {
    if word == nil { word = "" }
    word?.unicodeScalars.append(scalar)
  }

  private mutating func quote(until end: Unicode.Scalar, escapes: Bool) {
    if word == nil { word = "" }
    while let scalar = scalars.popFirst(), scalar != end {
      append(scalar)
      if escapes, scalar == "\\", let next = scalars.popFirst() { append(next) }
    }
  }

  /// Takes `$(…)` and `${…}` into the word, brackets and all.
  private mutating func nest(_ dollar: Unicode.Scalar) {
    append(dollar)
    var depth = 0
    while let scalar = scalars.popFirst() {
      append(scalar)
      switch scalar {
      case "(", "{": depth += 1
      case ")", "}": depth -= 1
      case "\\": if let next = scalars.popFirst() { append(next) }
      default: break
      }
      if depth == 0 { return }
    }
  }

  private mutating func endWord() {
    if let word { words.append(word) }
    word = nil
  }

  private mutating func endCommand(_ next: Connection) {
    endWord()
    if !words.isEmpty {
      commands.append(Command(connection: connection, words: words))
      connection = next
    } else if commands.isEmpty {
      connection = .start
    }
    words = []
  }
}

extension RunInstruction {
  /// The text a shell runs: the command, or the here-document that stands for it (R2).
  var script: String? {
    guard case .shell(let text) = command else { return nil }
    guard let heredoc = soleHeredoc else { return text }
    return heredoc.body
  }
}
