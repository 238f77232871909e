import PipelineDSL
import Testing

@Suite("Diagnostics as text")
struct DiagnosticRendererTests {
  private func render(_ diagnostic: Diagnostic, _ source: String?) -> String {
    DiagnosticRenderer { _ in source.map { Array($0.utf8) } }.render(diagnostic)
  }

  private func at(
    _ line: Int, _ column: Int, to endColumn: Int? = nil, endLine: Int? = nil
  ) -> PipelineDSL.SourceLocation {
    PipelineDSL.SourceLocation(
      file: "Dockerfile", line: line, column: column, endLine: endLine, endColumn: endColumn)
  }

  @Test("everything a diagnostic can have")
  func whole() {
    let source = "FROM a\nCOPY --from=assets /app /app\n"
    let diagnostic = Diagnostic(
      "stage 'web' copies from 'assets', which is declared later", at: at(2, 13, to: 19),
      label: "must be declared before 'web'",
      notes: [Diagnostic.Note("'assets' is declared here", at: at(21, 1))],
      help: "move the stage up")
    #expect(
      render(diagnostic, source) == """
        error: stage 'web' copies from 'assets', which is declared later
          --> Dockerfile:2:13
        2 | COPY --from=assets /app /app
          |             ^^^^^^ must be declared before 'web'
        note: 'assets' is declared here
          --> Dockerfile:21:1
        help: move the stage up

        """)
  }

  @Test("a warning of a rule names the rule")
  func rule() {
    let diagnostic = Diagnostic(
      "stage name 'Web' should be lower case", severity: .warning, id: "StageNameCasing",
      at: at(1, 11, to: 14))
    #expect(
      render(diagnostic, "FROM a AS Web") == """
        warning: stage name 'Web' should be lower case [StageNameCasing]
          --> Dockerfile:1:11
        1 | FROM a AS Web
          |           ^^^

        """)
  }

  @Test("without a source there is a place but no excerpt, without a place neither")
  func unknown() {
    let diagnostic = Diagnostic("nothing to build", at: at(7, 2), help: "write a FROM")
    #expect(
      render(diagnostic, nil) == """
        error: nothing to build
          --> Dockerfile:7:2
        help: write a FROM

        """)
    #expect(render(Diagnostic("no place"), "FROM a") == "error: no place\n")
    #expect(
      render(Diagnostic("past the end", at: at(9, 1)), "FROM a\n") == """
        error: past the end
          --> Dockerfile:9:1

        """)
    #expect(
      render(Diagnostic("the file", at: at(0, 0)), "FROM a\n") == """
        error: the file
          --> Dockerfile

        """)
  }

  @Test("tabs and wide characters keep the caret where it belongs")
  func columns() {
    #expect(
      render(Diagnostic("x", at: at(1, 2, to: 5)), "\tRUN a") == """
        error: x
          --> Dockerfile:1:2
        1 |     RUN a
          |     ^^^

        """)
    // The three ideographs are nine bytes and six cells, the accent is two bytes and none.
    #expect(
      render(Diagnostic("x", at: at(1, 18, to: 21)), "A 日本語 e\u{301}\t foo") == """
        error: x
          --> Dockerfile:1:18
        1 | A 日本語 e\u{301}   foo
          |              ^^^

        """)
  }

  @Test("bytes that are no UTF-8 count one cell each")
  func bytes() {
    let renderer = DiagnosticRenderer { _ in [0x41, 0xFF, 0xC3, 0x42] }
    #expect(
      renderer.render(Diagnostic("x", at: at(1, 4, to: 5))) == """
        error: x
          --> Dockerfile:1:4
        1 | A\u{FFFD}\u{FFFD}B
          |    ^

        """)
  }

  @Test("nothing in a source or a message can act on the terminal")
  func controls() {
    #expect(
      render(Diagnostic("bad '\u{1B}[31m'", at: at(1, 1), label: "\u{7}"), "A\u{1B}[2J\r\n") == """
        error: bad '\u{241B}[31m'
          --> Dockerfile:1:1
        1 | A\u{241B}[2J
          | ^ \u{2407}

        """)
  }

  @Test("a long line is cut around the caret")
  func longLine() {
    let source = String(repeating: "a", count: 200) + "HERE" + String(repeating: "b", count: 200)
    let left = String(repeating: "a", count: 42)
    let right = String(repeating: "b", count: 42)
    #expect(
      render(Diagnostic("x", at: at(1, 201, to: 205)), source) == """
        error: x
          --> Dockerfile:1:201
        1 | …\(left)HERE\(right)…
          |  \(String(repeating: " ", count: 42))^^^^

        """)
  }

  @Test("carets end where a cut line ends")
  func longRange() {
    let source = String(repeating: "a", count: 300)
    let shown = String(repeating: "a", count: 88)
    #expect(
      render(Diagnostic("x", at: at(1, 1, to: 301)), source) == """
        error: x
          --> Dockerfile:1:1
        1 | \(shown)…
          | \(String(repeating: "^", count: 88))

        """)
  }

  @Test("a range over several lines marks the first and shows the next ones")
  func severalLines() {
    let source = "FROM a\nRUN one \\  \n  two \\\n  three\nCMD x\n"
    #expect(
      render(Diagnostic("x", at: at(2, 1, to: 8, endLine: 4), label: "this"), source) == """
        error: x
          --> Dockerfile:2:1
        2 | RUN one \\  
          | ^^^^^^^^^ this
        3 |   two \\
        4 |   three

        """)
  }

  @Test("of a long range the first lines are shown")
  func manyLines() {
    let source = (1...20).map { "line \($0)" }.joined(separator: "\n")
    #expect(
      render(Diagnostic("x", at: at(8, 6, to: 3, endLine: 17)), source) == """
        error: x
          --> Dockerfile:8:6
         8 | line 8
           |      ^
         9 | line 9
        10 | line 10
        11 | line 11
           | …

        """)
  }

  @Test("a caret at the end of a line stands behind it")
  func endOfLine() {
    #expect(
      render(Diagnostic("x", at: at(1, 99)), "RUN") == """
        error: x
          --> Dockerfile:1:99
        1 | RUN
          |    ^

        """)
    #expect(
      render(Diagnostic("x", at: at(2, 1)), "RUN\n\nCMD") == """
        error: x
          --> Dockerfile:2:1
        2 |
          | ^

        """)
  }
}
