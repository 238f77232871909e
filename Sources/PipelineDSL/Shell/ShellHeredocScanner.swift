/// Follows the here-documents of shell text: the words after `<<`, and the bodies below.
struct ShellHeredocScanner {
  private struct Delimiter {
    var word = ""
    var stripsTabs = false
  }

  /// The word after `<<` while it is being read.
  private var open: Delimiter?
  private var pending: [Delimiter] = []
  /// The here-document whose body is being read, and the line reached so far.
  private var body: Delimiter?
  private var line = ""

  var isInBody: Bool { body != nil }
  var isInDelimiter: Bool { open != nil }

  /// Notes that `<<` was read.
  mutating func startDelimiter() {
    open = Delimiter()
  }

  /// Reads on in the word after `<<`; false once the word has ended before this character.
  mutating func readDelimiter(_ scalar: Unicode.Scalar) -> Bool {
    guard var delimiter = open else { return false }
    if scalar == "<" {
      // `<<<` is a here-string: an ordinary word follows.
      open = nil
      return true
    }
    if delimiter.word.isEmpty, scalar == "-" || scalar == " " || scalar == "\t" {
      if scalar == "-" { delimiter.stripsTabs = true }
      open = delimiter
      return true
    }
    if "'\"\\".unicodeScalars.contains(scalar) { return true }
    if " \t\n;&|<>()".unicodeScalars.contains(scalar) {
      if !delimiter.word.isEmpty { pending.append(delimiter) }
      open = nil
      return false
    }
    delimiter.word.unicodeScalars.append(scalar)
    open = delimiter
    return true
  }

  /// Notes the end of a command line: the first body, if there is one, starts.
  mutating func startBody() {
    if !pending.isEmpty { body = pending.removeFirst() }
  }

  /// Reads on in a body.
  mutating func readBody(_ scalar: Unicode.Scalar) {
    guard let delimiter = body else { return }
    guard scalar == "\n" else {
      line.unicodeScalars.append(scalar)
      return
    }
    let scalars = line.unicodeScalars
    let compared = delimiter.stripsTabs ? scalars.drop { $0 == "\t" } : scalars[...]
    if compared.elementsEqual(delimiter.word.unicodeScalars) {
      body = pending.isEmpty ? nil : pending.removeFirst()
    }
    line = ""
  }
}
