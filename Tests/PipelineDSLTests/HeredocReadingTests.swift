import PipelineDSL
import Testing

@Suite("Reading here-documents")
struct HeredocReadingTests {
  @Test("L12: several bodies follow a line in order, raw")
  func several() throws {
    let run = try readInstruction("RUN <<A cat && cat 3<<-'B'\n a \\\n# b\r\nA\n\tc\n\tB\n")
    #expect(
      run
        == .run(
          RunInstruction(
            .shell("<<A cat && cat 3<<-'B'"),
            heredocs: [
              Heredoc(name: "A", body: " a \\\n# b\r\n"),
              Heredoc(
                name: "B", body: "\tc\n", expands: false, stripsTabs: true, fileDescriptor: 3),
            ])))
  }

  @Test(
    "L12: which words introduce one",
    arguments: [
      ("<<EOF", "EOF", true), ("<<'EOF'", "EOF", false), ("<<\"E F\"", "E F", false),
      ("<<E'O'F", "EOF", false), ("<<E\\OF", "EOF", true), ("<<$x", "$x", true),
      ("<<${x:-y}", "${x:-y}", true), ("cat <<  EOF", "EOF", true), ("cat << 'EOF'", "EOF", false),
    ])
  func introductions(word: String, name: String, expands: Bool) throws {
    let run = try readInstruction("RUN \(word)\nbody\n\(name)\n")
    #expect(
      run
        == .run(
          RunInstruction(
            .shell(word), heredocs: [Heredoc(name: name, body: "body\n", expands: expands)])))
  }

  @Test(
    "L12: words that introduce none",
    arguments: [
      "cat <<- EOF", "cat <<<EOF", "echo 'a <<EOF'", "echo \"<<EOF\"", "echo $((1<<4))", "a<<EOF",
      "echo it's <<EOF", "echo ${x,,} <<EOF", "<<",
    ])
  func noIntroductions(text: String) throws {
    #expect(try readInstruction("RUN " + text) == .run(RunInstruction(.shell(text))))
  }

  @Test("L12: COPY takes bodies as sources, by name")
  func copy() throws {
    #expect(
      try readInstruction("COPY <<a x <<'b' /d/\n1\na\n2\nb\n")
        == .copy(
          CopyInstruction(
            [
              .heredoc(Heredoc(name: "a", body: "1\n")), .path("x"),
              .heredoc(Heredoc(name: "b", body: "2\n", expands: false)),
            ], to: "/d/")))
  }

  @Test("S10: bodies of a trigger become lines of its text")
  func trigger() throws {
    #expect(
      try readInstruction("ONBUILD  RUN  <<-'A' x\n\t1\n\tA\n")
        == .onBuild(OnBuildInstruction("RUN  <<-'A' x\n\t1\nA")))
  }

  @Test("L12: the wrong places, and no end")
  func errors() {
    #expect(
      readErrors("FROM a\nCOPY a <<B\nx\nB\nRUN <<C\ny\n") == [
        "2:6-2:11 COPY cannot accept a heredoc as a destination",
        "5:1-5:8 unterminated heredoc: no line after line 5 is 'C'",
      ])
  }

  @Test("expansions that nest without end introduce nothing, and no stack overflows")
  func deepNesting() throws {
    let text = "<<x " + String(repeating: "${a:-", count: 10_000)
    #expect(try readInstruction("RUN " + text) == .run(RunInstruction(.shell(text))))
  }
}
