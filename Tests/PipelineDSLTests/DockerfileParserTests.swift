import PipelineDSL
import Testing

@Suite("Reading Dockerfiles")
struct DockerfileParserTests {
  @Test("L3: an escape character at the end of a line joins the next one, blanks after it or not")
  func continuation() throws {
    #expect(
      try readInstruction("RUN a\\\nb \\ \t\n  c\n") == .run(RunInstruction(.shell("ab   c"))))
  }

  @Test("L3: a doubled escape character joins nothing")
  func doubledEscape() throws {
    let graph = try readGraph("FROM alpine\nRUN a\\\\\nRUN b\n")
    #expect(
      graph.stages[0].steps.map(\.instruction) == [
        .run(RunInstruction(.shell("a\\\\"))), .run(RunInstruction(.shell("b"))),
      ])
  }

  @Test("L4: comment and empty lines inside an instruction vanish, the latter with a warning")
  func vanishingLines() throws {
    let text = "FROM alpine\nRUN a \\\n  # comment\n\n   \n  b\n"
    #expect(try readGraph(text).stages[0].steps[0].instruction == .run(.init(.shell("a   b"))))
    #expect(readErrors(text) == ["4:1-4:1 (warning) empty continuation line"])
  }

  @Test("L4: leading blanks go from the first line of an instruction only")
  func leadingBlanks() throws {
    #expect(
      try readInstruction("\t  RUN   a\\\n\tb\n") == .run(RunInstruction(.shell("a\tb"))))
  }

  @Test("L2: a byte order mark and carriage returns are no part of the text")
  func lineEnds() throws {
    let text = "\u{FEFF}# escape=`\r\nFROM alpine\r\nRUN a `\r\n b\r\n"
    let graph = try readGraph(text)
    #expect(graph.directives.escape == "`")
    #expect(graph.stages[0].steps[0].instruction == .run(RunInstruction(.shell("a  b"))))
  }

  @Test("L5: 65535 bytes are a line, one more is an error")
  func longLine() throws {
    let longest = String(repeating: "x", count: 65535 - 4)
    #expect(try readInstruction("RUN " + longest) == .run(RunInstruction(.shell(longest))))
    #expect(
      readErrors("FROM alpine\nRUN x\(longest)\nRUN") == [
        "2:1-2:2 the line is longer than 65535 bytes"
      ])
  }

  @Test(
    "L5: a file without a stage is refused",
    arguments: [
      ("", "1:1-1:1 the Dockerfile cannot be empty"),
      ("# nothing\n\n", "1:1-1:1 file with no instructions"),
      ("ARG A\n", "1:1-1:1 the file has no build stage"),
      (
        "RUN a\nRUN b\nFROM alpine\n",
        "1:1-1:6 RUN stands before the first FROM, in no build stage"
      ),
    ])
  func noStage(text: String, error: String) {
    #expect(readErrors(text) == [error])
  }

  @Test("L9: only a whole JSON array of strings is the JSON form")
  func jsonForm() throws {
    #expect(try readInstruction(#"CMD ["a", "b\n"]"#) == .command(.exec(["a", "b\n"])))
    #expect(try readInstruction("CMD ['a']") == .command(.shell("['a']")))
    #expect(try readInstruction(#"CMD ["a"] b"#) == .command(.shell(#"["a"] b"#)))
    #expect(try readInstruction(#"CMD ["a",]"#) == .command(.shell(#"["a",]"#)))
    #expect(try readInstruction("CMD [1e999]") == .command(.shell("[1e999]")))
    #expect(
      readErrors("FROM a\nCMD [\"a\", {\"b\": [1, null]}]\n") == [
        "2:5-2:28 when using JSON array syntax, arrays must be comprised of strings only"
      ])
  }

  @Test("L9: JSON that nests without end is shell text, and no stack overflows")
  func deepJSON() throws {
    let text = String(repeating: "[", count: 60_000)
    #expect(try readInstruction("CMD " + text) == .command(.shell(text)))
  }

  @Test("L10: FROM, EXPOSE, COPY and VOLUME split at blanks, quotes or not")
  func fields() throws {
    #expect(
      try readInstruction("COPY \"a b\" /c")
        == .copy(CopyInstruction([.path(.init(raw: "\"a")), .path(.init(raw: "b\""))], to: "/c")))
    #expect(try readInstruction("EXPOSE 80\t81") == .expose(["80", "81"]))
  }

  @Test("L11: the first word decides between name=value and the old form")
  func assignments() throws {
    #expect(
      try readInstruction("ENV a=1 b='2 3' c=4\\ 5")
        == .environment(
          Assignments([
            Assignment(Word(raw: "a"), Word(raw: "1")),
            Assignment(Word(raw: "b"), Word(raw: "'2 3'")),
            Assignment(Word(raw: "c"), Word(raw: "4\\ 5")),
          ])))
    #expect(
      try readInstruction("LABEL a b=c  d")
        == .label(
          Assignments(
            [Assignment(Word(raw: "a"), Word(raw: "b=c  d"))], isLegacyForm: true)))
  }

  @Test("L14: RUN, CMD and ENTRYPOINT may be empty")
  func emptyCommands() throws {
    #expect(try readInstruction("RUN") == .run(RunInstruction(.shell(""))))
    #expect(try readInstruction("CMD  ") == .command(.shell("")))
    #expect(try readInstruction("ENTRYPOINT []") == .entrypoint(.exec([])))
  }

  @Test("S1: stage names are kept in lower case")
  func stageNames() throws {
    let text = "FROM a AS Build\n"
    #expect(try readGraph(text).stages[0].name == "build")
    #expect(readErrors(text) == ["1:11-1:16 (warning) stage name 'Build' should be lowercase"])
  }

  @Test("the value of a flag is UTF-8 text, where BuildKit makes a character of each byte")
  func flagCharacters() throws {
    let copy = try readInstruction("COPY --chown=jürgen --exclude=à\u{A0} a /b")
    #expect(
      copy
        == .copy(
          CopyInstruction(
            [.path("a")], to: "/b", owner: Word(raw: "jürgen"), excludes: ["à"])))
  }

  @Test("V7: '--from' and 'from=' cannot be variables")
  func variableFrom() {
    #expect(
      readErrors("FROM a\nCOPY --from=$x a b\nRUN --mount=from=${y},target=/z true\n") == [
        "2:6-2:15 variable expansion is not supported for '--from'",
        "3:5-3:32 variable expansion is not supported for 'from' of '--mount'",
      ])
  }

  @Test("X8: flags that BuildKit drops without a word are warned about")
  func ignoredFlags() {
    #expect(
      readErrors("FROM a\nSTOPSIGNAL --x 9\nHEALTHCHECK --interval=1s NONE\n") == [
        "2:12-2:15 (warning) flag '--x' of STOPSIGNAL is ignored",
        "3:13-3:26 (warning) flag '--interval' of HEALTHCHECK NONE is ignored",
      ])
  }

  @Test("steps and stages know their lines, here-documents included")
  func locations() throws {
    let graph = try readGraph("\n FROM a \\\n AS b\n  RUN <<X\ny\nX\n")
    let stage = try #require(graph.stages[0].location)
    let step = try #require(graph.stages[0].steps[0].location)
    #expect(
      [stage.line, stage.column, stage.endLine, stage.endColumn] == [2, 2, 3, 6])
    #expect([step.line, step.column, step.endLine, step.endColumn] == [4, 3, 6, 2])
  }

  @Test("an error points into the line that it is on")
  func errorPlaces() {
    #expect(
      readErrors("FROM a\nCOPY \\\n  # über\n  --form=x a b\n") == [
        "4:3-4:11 unknown flag: '--form' of COPY"
      ])
  }

  @Test("bytes that are no text are refused, in comments they do no harm")
  func invalidText() {
    let bytes = Array("# \u{FF}\nFROM a\nRUN b".utf8).map { $0 == 0xC3 || $0 == 0xBF ? 0xFF : $0 }
    #expect(DockerfileParser.parse(bytes, file: "x").graph != nil)
    let wrong = Array("FROM a\nRUN b".utf8) + [0x20, 0xFF]
    let diagnostics = DockerfileParser.parse(wrong, file: "x").diagnostics
    #expect(diagnostics.map(\.message) == ["the text is not UTF-8"])
    #expect(diagnostics.first?.location?.column == 7)
  }

  @Test("after fifty errors the rest is not read")
  func manyErrors() {
    let text = String(repeating: "x\n", count: 1000)
    #expect(readErrors(text).count == 50)
  }
}
