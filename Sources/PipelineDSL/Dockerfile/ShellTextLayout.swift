/// Breaks shell text over lines so that joining them gives back exactly the same text.
///
/// The reader removes the escape character and the line feed and nothing else: the blanks at the
/// start of a continuation line stay (L3, L4). So a break never adds a blank and never takes one.
struct ShellTextLayout {
  let escape: Unicode.Scalar
  let width: Int

  /// Why a Dockerfile cannot hold the text, nil where it can.
  func refusal(of text: String) -> String? {
    let scalars = text.unicodeScalars
    if scalars.contains("\n") || scalars.contains("\r") {
      return "the command's text has a line feed outside a here-document"
    }
    if scalars.first?.properties.isWhitespace == true
      || scalars.last?.properties.isWhitespace == true
    {
      return "the command's text starts or ends with a blank"
    }
    if JSONArrayReader.read(Array(text.utf8)[...]) != .other {
      return "the command's text is a JSON array and would not be given to a shell"
    }
    return nil
  }

  /// The text with continuation lines.
  ///
  /// Two blanks or more are where it was broken when it was written. A text that is too long
  /// without that is broken before `&&`, and, where that is not enough, before `||`, `|`, `;` and
  /// options.
  func broken(_ text: String, after start: String) -> String {
    let words = Self.words(of: text)
    let startWidth =
      start.utf8.count
      - (start.utf8.lastIndex(of: 10).map {
        start.utf8.distance(from: start.utf8.startIndex, to: $0) + 1
      } ?? 0)
    let isLong = startWidth + 1 + text.utf8.count > width
    var breaks = words.indices.filter { index in
      mayBreak(words, before: index)
        && (words[index].blanks.utf8.count > 1 || (isLong && words[index].text == "&&"))
    }
    if isLong {
      for (lower, upper) in zip([0] + breaks, breaks + [words.count]) {
        let length = words[lower..<upper].reduce(0) {
          $0 + $1.blanks.utf8.count + $1.text.utf8.count
        }
        guard length + (lower == 0 ? startWidth : 0) > width else { continue }
        breaks += (lower + 1..<max(upper, lower + 1)).filter { index in
          mayBreak(words, before: index) && Self.startsPart(words[index].text)
        }
      }
    }
    let chosen = Set(breaks)
    var result = ""
    for (index, word) in words.enumerated() {
      guard chosen.contains(index) else {
        result += word.blanks + word.text
        continue
      }
      // Of several blanks the first stands before the escape, as people write it.
      let indent = word.blanks.utf8.count > 1 ? word.blanks.dropFirst() : word.blanks[...]
      let before = word.blanks.utf8.count > 1 ? word.blanks.prefix(1) : ""
      result += before + String(escape) + "\n" + indent + word.text
    }
    return result
  }

  private func mayBreak(_ words: [Word], before index: Int) -> Bool {
    guard index > 0, !words[index].blanks.isEmpty else { return false }
    // A line that starts with '#' would vanish (L4), and a doubled escape joins nothing (L3).
    return !words[index].text.hasPrefix("#") && words[index - 1].text.unicodeScalars.last != escape
  }

  private static func startsPart(_ word: String) -> Bool {
    word == "&&" || word == "||" || word == "|" || word.hasPrefix("--")
  }

  /// A run of text without a break opportunity, and the blanks before it.
  private struct Word {
    var blanks: String
    var text: String
  }

  /// The words of a text; quoted blanks are inside a word.
  private static func words(of text: String) -> [Word] {
    var words: [Word] = []
    var current = Word(blanks: "", text: "")
    var quote: Unicode.Scalar?
    var isEscaped = false
    for scalar in text.unicodeScalars {
      let separates = quote == nil && !isEscaped && (scalar == " " || scalar == "\t")
      if separates {
        if !current.text.isEmpty {
          words.append(current)
          current = Word(blanks: "", text: "")
        }
        current.blanks.unicodeScalars.append(scalar)
        continue
      }
      current.text.unicodeScalars.append(scalar)
      if isEscaped {
        isEscaped = false
      } else if scalar == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if scalar == open { quote = nil }
      } else if scalar == "'" || scalar == "\"" {
        quote = scalar
      }
    }
    words.append(current)
    return words
  }

  /// Whether a line is continued by the next one (L3).
  static func endsInContinuation(_ line: Substring.UTF8View, escape: Unicode.Scalar) -> Bool {
    let escape = UInt8(ascii: escape)
    let rest = line.reversed().drop { $0 == 0x20 || $0 == 0x09 }
    return rest.first == escape && rest.dropFirst().first != escape
  }
}
