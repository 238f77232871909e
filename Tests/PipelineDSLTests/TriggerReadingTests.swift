import PipelineDSL
import Testing

@Suite("Reading triggers")
struct TriggerReadingTests {
  private let place = SourceLocation(file: "Dockerfile", line: 7, column: 1)

  @Test("S10: a trigger is one instruction, here-documents and continuation lines included")
  func trigger() throws {
    #expect(
      try DockerfileParser.parseTrigger("run a \\\n b", at: place)
        == .run(RunInstruction(.shell("a  b"))))
    #expect(
      try DockerfileParser.parseTrigger("COPY <<X /d\nbody\nX", at: place)
        == .copy(CopyInstruction([.heredoc(Heredoc(name: "X", body: "body\n"))], to: "/d")))
  }

  @Test(
    "S10: anything else is an error where the trigger runs",
    arguments: [
      ("", "an ONBUILD trigger should be a single instruction"),
      ("RUN a\nRUN b", "an ONBUILD trigger should be a single instruction"),
      ("FROM a", "FROM isn't allowed as an ONBUILD trigger"),
      ("NOPE a", "unknown instruction: 'NOPE'"),
      ("COPY --form=x a b", "unknown flag: '--form' of COPY"),
    ])
  func errors(text: String, message: String) {
    #expect {
      try DockerfileParser.parseTrigger(text, at: place)
    } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.message == message && diagnostic?.location == place
        && diagnostic?.notes.map(\.message) == ["the trigger is 'ONBUILD \(text)'"]
    }
  }
}
