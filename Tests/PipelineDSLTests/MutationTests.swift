import PipelineDSL
import Testing

/// Input that nobody would write, from fixed seeds: no crash, and the laws hold.
@Suite("Mutated input")
struct MutationTests {
  /// SplitMix64.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }

    mutating func text(of pieces: [String], atMost count: Int) -> String {
      (0..<Int.random(in: 1...count, using: &self)).map { _ in
        pieces.randomElement(using: &self) ?? ""
      }.joined()
    }
  }

  @Test("words expand or are refused, and give each name that is looked up", arguments: 1...4)
  func words(seed: UInt64) {
    var generator = Generator(state: seed)
    let pieces = [
      "$", "${", "}", "A", "B", ":", "-", "+", "?", "#", "%", "/", "//", "*", "\\", "`", "'", "\"",
      " ", "\n", "x", "ä", "\u{301}", "${A:-", "${B//", "${A%%", "\u{0}", "é",
    ]
    for _ in 0..<1_000 {
      let word = Word(raw: generator.text(of: pieces, atMost: 20))
      let escape: Unicode.Scalar = Bool.random(using: &generator) ? "\\" : "`"
      var asked: [String] = []
      let expansion = WordExpansion(escape: escape) { name in
        asked.append(name)
        return "a*b/c"
      }
      let value = try? expansion.expand(word)
      #expect(asked == WordExpansion.references(in: word, escape: escape).map(\.name))
      let list = try? expansion.expandToList(word)
      #expect((value == nil) == (list == nil))
      if let value, let list {
        // Splitting loses nothing but blanks.
        let blanks = { (text: String) in text.unicodeScalars.filter { !$0.properties.isWhitespace }
        }
        #expect(blanks(list.joined()).elementsEqual(blanks(value)))
      }
      _ = try? expansion.expandHeredoc(word.raw)
      let literal = Word(literal: word.raw)
      #expect((try? WordExpansion { _ in nil }.expand(literal)) == word.raw)
    }
  }

  @Test("ignore files match as the slow way does", arguments: 1...4)
  func ignoreFiles(seed: UInt64) {
    var generator = Generator(state: seed)
    let pieces = [
      "a", "b", "*", "**", "?", "/", "/", "!", "[ab]", "[^a]", "\\*", "foo", "a*", "**/", ".", "..",
    ]
    let names = ["a", "b", "c", "ab", "foo", "xfoo", "*", "aa"]
    for _ in 0..<600 {
      let lines = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        generator.text(of: pieces, atMost: 5)
      }
      let text = lines.joined(separator: "\n")
      guard let patterns = try? IgnorePatterns(file: Array(text.utf8), name: "x") else { continue }
      let slow = SlowPatterns(lines)
      for _ in 0..<5 {
        let path = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
          names.randomElement(using: &generator) ?? "a"
        }
        let isExcluded = patterns.excludes(Array(path.joined(separator: "/").utf8))
        #expect(isExcluded == slow.excludes(path), "\(text) \(path)")
        guard path.count > 1 else { continue }
        let parent = Array(path.dropLast().joined(separator: "/").utf8)
        // What need not be walked has nothing in it.
        if patterns.excludes(parent), !patterns.mayExcept(below: parent) {
          #expect(isExcluded, "\(text) \(path)")
        }
      }
    }
  }

  private static let instructions = [
    "ENV A b", "ENV C=${A:-x} D='$A'", "copy --link --chmod=755 --from=build a \"b c\" /d/",
    "RUN --mount=type=cache,target=/c <<EOF\nmake\nmake install\nEOF", "EXPOSE 1:2/TCP $A",
    "HEALTHCHECK --interval=1s NONE", "RUN echo one | \\\n\n  two && cd /x",
    "FROM scratch", "COPY --from=0 <<E /f\n$A ${B}\nE", "CMD run\tit", "from a:${V} As Web",
    "# remark", "ARG X=$C", "ONBUILD COPY --from=build a /", "WORKDIR a/b", "LABEL a b c",
    "STOPSIGNAL --x=1 TERM", "RUN apt-get update", "RUN apt-get install -y x | y", "\n",
  ]

  @Test("files are checked, shown and fixed whatever is in them", arguments: 1...6)
  func files(seed: UInt64) {
    var generator = Generator(state: seed)
    var readable = 0
    for _ in 0..<80 {
      var file = "# check=experimental=all\nARG V=3\n"
      file += "FROM --platform=$TARGETPLATFORM alpine:${V} as Build\n"
      for _ in 0..<Int.random(in: 0...12, using: &generator) {
        file += (Self.instructions.randomElement(using: &generator) ?? "") + "\n"
      }
      var bytes = Array(file.utf8)
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        let index = Int.random(in: bytes.indices, using: &generator)
        bytes[index] =
          Array("$\"'\\`{}=/ \t\n#<*\u{1}".utf8).randomElement(using: &generator) ?? 0xFF
      }
      if check(bytes) { readable += 1 }
    }
    #expect(readable > 10)
  }

  /// Whether the file could be read.
  private func check(_ bytes: [UInt8]) -> Bool {
    let result = DockerfileParser.parse(bytes, file: "Dockerfile")
    let renderer = DiagnosticRenderer { _ in bytes }
    for diagnostic in result.diagnostics { #expect(!renderer.render(diagnostic).isEmpty) }
    guard let graph = result.graph else { return false }
    let input = CheckInput(graph, source: SourceText(bytes))
    let report = CheckReport(input, found: result.diagnostics)
    for diagnostic in report.diagnostics {
      #expect(diagnostic.id != nil || diagnostic.severity == .error)
      #expect(renderer.render(diagnostic).contains("-->"))
    }
    var current = bytes
    for _ in 0..<100 {
      let again = DockerfileParser.parse(current, file: "Dockerfile")
      guard let graph = again.graph else {
        Issue.record("a fix broke the file: \(String(decoding: current, as: UTF8.self))")
        return true
      }
      #expect(graph.stages.count == input.graph.stages.count)
      let input = CheckInput(graph, source: SourceText(current))
      let edits = CheckReport(input, found: again.diagnostics).edits(input)
      if edits.isEmpty { return true }
      current = SourceText(current).applying(edits)
    }
    Issue.record("fixing has no end: \(String(decoding: bytes, as: UTF8.self))")
    return true
  }
}

/// Ignore patterns by plain recursion, after the text of the rules.
private struct SlowPatterns {
  private var patterns: [(isException: Bool, text: [Character])] = []

  init(_ lines: [String]) {
    for line in lines {
      var text = line[...]
      let isException = text.hasPrefix("!")
      if isException { text.removeFirst() }
      var path = Self.clean(String(text))
      if path.count > 1, path.hasPrefix("/") { path.removeFirst() }
      // A slash that is gone may uncover an exclamation mark.
      path = Self.clean((isException ? "!" : "") + path)
      guard !path.isEmpty, !line.isEmpty else { continue }
      let mark = path.hasPrefix("!")
      patterns.append((mark, Array(mark ? String(path.dropFirst()) : path)))
    }
  }

  func excludes(_ path: [String]) -> Bool {
    var inherited = patterns.map { _ in false }
    var isMatched = false
    for depth in 1...path.count {
      isMatched = false
      let name = Array(path.prefix(depth).joined(separator: "/"))
      for (index, pattern) in patterns.enumerated() {
        if !inherited[index] {
          guard pattern.isException == isMatched, Self.matches(pattern.text, name) else { continue }
          inherited[index] = true
        }
        isMatched = !pattern.isException
      }
    }
    return isMatched
  }

  private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
    let isPlainSuffix =
      pattern.starts(with: "**") && pattern.count > 2 && pattern[2] != "/"
      && !pattern.dropFirst(2).contains { "*?[]\\".contains($0) }
    if isPlainSuffix { return name.reversed().starts(with: pattern.dropFirst(2).reversed()) }
    return matches(pattern[...], name[...])
  }

  private static func matches(
    _ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>
  ) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case "*" where rest.first == "*":
      var after = rest.dropFirst()
      if after.first == "/" { after = after.dropFirst() }
      if after.isEmpty || matches(after, name) { return true }
      return name.indices.contains { name[$0] == "/" && matches(after, name[($0 + 1)...]) }
    case "*":
      if matches(rest, name) { return true }
      guard let next = name.first, next != "/" else { return false }
      return matches(pattern, name.dropFirst())
    case "?":
      guard let next = name.first, next != "/" else { return false }
      return matches(rest, name.dropFirst())
    case "[":
      guard let next = name.first, let end = rest.firstIndex(of: "]") else { return false }
      let isNegated = rest.first == "^"
      let members = rest[..<end].filter { $0 != "^" }
      return members.contains(next) != isNegated && matches(pattern[(end + 1)...], name.dropFirst())
    case "\\":
      return rest.first == name.first && !name.isEmpty
        && matches(rest.dropFirst(), name.dropFirst())
    default:
      return first == name.first && matches(rest, name.dropFirst())
    }
  }

  private static func clean(_ text: String) -> String {
    guard !text.isEmpty else { return "" }
    var parts: [String] = []
    for part in text.split(separator: "/").map(String.init) where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else if part != ".." || !text.hasPrefix("/") {
        parts.append(part)
      }
    }
    let joined = parts.joined(separator: "/")
    if text.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }
}
