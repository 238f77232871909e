import PipelineDSL
import Testing

@Suite("Choosing what checks show")
struct CheckReportTests {
  private func report(_ text: String, ignore: String? = nil) throws -> CheckReport {
    let result = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
    let graph = try #require(result.graph)
    let patterns = try ignore.map { try IgnorePatterns(file: Array($0.utf8), name: "ignore") }
    let input = CheckInput(graph, source: SourceText(Array(text.utf8)), ignore: patterns)
    return CheckReport(input, found: result.diagnostics)
  }

  private func ids(_ text: String, ignore: String? = nil) throws -> [String?] {
    try report(text, ignore: ignore).diagnostics.map(\.id)
  }

  static let faulty = "FROM alpine AS Web\nCMD serve\n"

  @Test(
    "the directive leaves rules out and adds experimental ones",
    arguments: [
      ("", ["StageNameCasing", "JSONArgsRecommended"]),
      ("# check=skip=JSONArgsRecommended\n", ["StageNameCasing"]),
      ("# check=skip=JSONArgsRecommended, StageNameCasing\n", []),
      ("# check=skip=all\n", []),
      (
        "# check=experimental=UnpinnedBase\n",
        ["UnpinnedBase", "StageNameCasing", "JSONArgsRecommended"]
      ),
      ("# check=skip=all;experimental=all\n", ["UnpinnedBase"]),
      ("# check = error=true ; skip = StageNameCasing \n", ["JSONArgsRecommended"]),
    ])
  func directive(directive: String, expected: [String]) throws {
    #expect(try ids(directive + Self.faulty) == expected)
  }

  @Test("error=true makes a failure of any finding, but not of none")
  func failing() throws {
    #expect(try !report(Self.faulty).isFailure)
    #expect(try report("# check=error=true\n" + Self.faulty).isFailure)
    #expect(try !report("# check=error=true;skip=all\n" + Self.faulty).isFailure)
    #expect(try !report("# check=error=false\n" + Self.faulty).isFailure)
  }

  @Test("a comment above an instruction counts for that one")
  func comments() throws {
    let text = """
      FROM alpine:3 AS a
      # check=skip=JSONArgsRecommended
      CMD one
      FROM alpine:3 AS b
      CMD two
      # check=experimental=UnpinnedBase
      FROM alpine AS c
      # check=skip=all because it is generated
      CMD three
      FROM alpine AS d
      # check=nonsense
      CMD four

      """
    let found = try report(text).diagnostics
    #expect(
      found.map { "\($0.location?.line ?? 0) \($0.id ?? "")" } == [
        "5 JSONArgsRecommended", "7 UnpinnedBase", "12 JSONArgsRecommended",
      ])
  }

  @Test(
    "what is no check option is an error at the directive",
    arguments: [
      ("skip", "invalid check option 'skip'"), ("skp=all", "invalid check option 'skp'"),
      ("error=maybe", "failed to parse check option 'error=maybe'"),
    ])
  func malformed(option: String, message: String) throws {
    let report = try report("# syntax=x\n# check=\(option)\nFROM alpine:3\n")
    #expect(report.isFailure)
    #expect(report.diagnostics.map(\.message) == [message])
    #expect(report.diagnostics.first?.location?.line == 2)
  }

  @Test("errors cannot be skipped")
  func errors() throws {
    #expect(
      try ids("# check=skip=all\nFROM alpine:3\nENV A=${}\n") == ["InvalidExpansion"])
  }

  @Test("findings come in the order of the file")
  func order() throws {
    let text = "FROM alpine:3 AS A\nCMD a\nEXPOSE 1/TCP\nENV a b\nFROM alpine:3 as B\n"
    #expect(
      try ids(text) == [
        "StageNameCasing", "JSONArgsRecommended", "ExposeProtoCasing", "LegacyKeyValueFormat",
        "FromAsCasing", "StageNameCasing",
      ])
  }

  @Test(
    "names that images bring are not undefined",
    arguments: [
      "FROM node:20\nENV A=$NODE_VERSION", "FROM a:1\nENV NAME=x\nENV A=$HOME",
      "FROM a:1\nENV FILE1=x\nLABEL a=$FILE2", "FROM a:1\nENV A=$JAVA_HOME",
      "ARG NODE_VERSION=20\nFROM node:$NODE_VERSION\nENV A=$NODE_VERSION",
      "FROM a:1\nENV A=$PATH", "FROM scratch\nARG X\nENV A=$X", "FROM a:1\nENV A='$nothing'",
      "FROM a:1 AS x\nENV AA=1\nFROM x\nENV B=$AA", "FROM scratch\nENV A=${B:-c}",
      "FROM scratch\nCOPY <<'E' /f\n$x\nE", "FROM scratch\nRUN echo $x",
    ])
  func defined(text: String) throws {
    #expect(try ids(text + "\n") == [])
  }

  @Test(
    "names that nothing brings are",
    arguments: [
      "FROM scratch\nENV A=$B", "FROM scratch\nCOPY <<E /f\n$x\nE", "FROM a:1\nENV A=$AA\nENV AA=1",
      "FROM a:1 AS x\nENV AA=1\nFROM a:1\nENV B=$AA", "FROM scratch\nRUN --mount=target=$x a",
      "ARG V=1\nFROM a:1\nARG W=$V",
    ])
  func undefined(text: String) throws {
    #expect(try ids(text + "\n") == ["UndefinedVar"])
  }

  @Test(
    "an ignored file is reported where nothing can bring it back",
    arguments: [
      ("*.log", "a.log", ["CopyIgnoredFile"]), ("logs", "logs/x", ["CopyIgnoredFile"]),
      ("logs", "/logs/x", ["CopyIgnoredFile"]), ("*.log\n!b.log", "a.log", []),
      ("*", ".", ["CopyIgnoredFile"]), ("a", ".", []), ("a", "b", []),
    ])
  func ignored(patterns: String, source: String, expected: [String]) throws {
    #expect(try ids("FROM a:1\nCOPY \(source) /x/\n", ignore: patterns) == expected)
    #expect(try ids("FROM a:1\nADD \(source) /x/\n", ignore: patterns) == expected)
    #expect(
      try ids("FROM a:1 AS s\nFROM a:1\nCOPY --from=s \(source) /x/\n", ignore: patterns) == [])
  }

  @Test("a graph declared in a program is checked without its text")
  func declared() {
    let location = SourceText.place(file: "A/A.swift", line: 3)
    let graph = StageGraph(stages: [
      StageGraph.Stage(
        name: "context", base: Word(raw: "alpine:3"),
        steps: [StageGraph.Step(.command(.shell("serve")), at: location)])
    ])
    let report = CheckReport(CheckInput(graph))
    #expect(report.diagnostics.map(\.id) == ["ReservedStageName", "JSONArgsRecommended"])
    #expect(report.diagnostics.last?.location == location)
    #expect(report.edits(CheckInput(graph)) == [])
  }

  @Test("edits that overlap are not both made")
  func edits() {
    let source = SourceText(Array("abcdef".utf8))
    let result = source.applying([
      SourceEdit(3..<5, with: "X"), SourceEdit(1..<4, with: "Y"), SourceEdit(5..<6, with: ""),
      SourceEdit(0..<0, with: "+"), SourceEdit(5..<99, with: "Z"),
    ])
    #expect(String(decoding: result, as: UTF8.self) == "+aYe")
  }
}

extension SourceText {
  fileprivate static func place(file: String, line: Int) -> PipelineDSL.SourceLocation {
    .init(file: file, line: line, column: 1)
  }
}
