import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("The check command")
struct CheckCommandTests {
  private func checked(_ text: String, _ path: FilePath = "a/Dockerfile") -> CheckedGraph {
    CheckedGraph(Array(text.utf8), path, ignore: nil)
  }

  @Test("findings as JSON have every field, one object a line")
  func json() {
    let text = CheckFormat.json.text(
      of: checked("FROM a:1\nCMD one\nCMD [\"two\"]\nEXPOSE 1/TCP\n"))
    #expect(
      text
        == """
        {"column":1,"endColumn":4,"endLine":2,"file":"a/Dockerfile","fixable":false,"help":\
        "write CMD [\\"one\\"]","label":"runs as '/bin/sh -c', which keeps signals to itself",\
        "line":2,"message":"JSON arguments recommended for CMD to prevent unintended behavior \
        related to OS signals","notes":[],"rule":"JSONArgsRecommended","severity":"warning"}
        {"column":1,"endColumn":4,"endLine":2,"file":"a/Dockerfile","fixable":false,"help":\
        "remove it","label":"has no effect","line":2,"message":"multiple CMD instructions in one \
        stage: only the last one is used","notes":[{"column":1,"file":"a/Dockerfile","line":3,\
        "message":"replaced here"}],"rule":"MultipleInstructionsDisallowed","severity":"warning"}
        {"column":8,"endColumn":13,"endLine":4,"file":"a/Dockerfile","fixable":true,"help":\
        "write '1\\/tcp'","line":4,"message":"protocol of '1\\/TCP' in EXPOSE should be lower case",\
        "notes":[],"rule":"ExposeProtoCasing","severity":"warning"}

        """.replacing("\\/", with: "/"))
  }

  @Test("findings as workflow commands are escaped")
  func github() {
    let text = CheckFormat.github.text(of: checked("FROM a:1\nENV A=${B:=100%,c}\n", "d,e/f:g"))
    #expect(
      text == """
        ::error file=d%2Ce/f%3Ag,line=2,endLine=2,col=7,endColumn=19,title=InvalidExpansion::\
        failed to process '${B:=100%25,c}': unsupported modifier (:=) in substitution%0Athe forms \
        are ${x-w} ${x:-w} ${x+w} ${x:+w} ${x?w} ${x:?w} ${x#p} ${x##p} ${x%25p} ${x%25%25p} \
        ${x/p/r} ${x//p/r}

        """)
  }

  @Test("what cannot be read is reported in every format, with its excerpt")
  func unreadable() {
    let broken = checked("FROM a:1\nRNU x\n", "-")
    #expect(
      CheckFormat.human.text(of: broken) == """
        error: unknown instruction: 'RNU'
          --> <stdin>:2:1
        2 | RNU x
          | ^^^
        help: did you mean 'RUN'?

        """)
    #expect(
      CheckFormat.github.text(of: broken) == """
        ::error file=<stdin>,line=2,endLine=2,col=1,endColumn=4::unknown instruction: 'RNU'%0A\
        did you mean 'RUN'?

        """)
    #expect(broken.report.isFailure)
  }

  @Test("a fix changes the file behind a link, keeps its mode, and leaves the rest to people")
  func fixing() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      "real",
      "from a:1 AS B\nENV A b\nRUN x \\\n\n  y \\\n\n  z\nFROM a:1\nEXPOSE 1:2/TCP\nCMD c\n",
      mode: 0o640)
    let link = directory.path.appending("Dockerfile")
    #expect(symlink("real", link.string) == 0)
    let bytes = try FileContent.read(link)
    var state = CheckedGraph(bytes, link, ignore: nil)
    #expect(try DockerfileFix.apply(to: &state, bytes, link, ignore: nil) == 7)
    #expect(
      String(decoding: try FileContent.read(file), as: UTF8.self) == """
        FROM a:1 AS b
        ENV A=b
        RUN x \\
          y \\
          z
        FROM a:1
        EXPOSE 2/tcp
        CMD c

        """)
    #expect(state.report.diagnostics.map(\.id) == ["JSONArgsRecommended"])
    var status = stat()
    #expect(lstat(link.string, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    #expect(lstat(file.string, &status) == 0 && status.st_mode & 0o7777 == 0o640)
    let again = try FileContent.read(link)
    #expect(try DockerfileFix.apply(to: &state, again, link, ignore: nil) == 0)
  }

  @Test("before a build, some warnings are shown, and no errors")
  func warnings() throws {
    let many = "FROM a:1\nENV Z=${}\n" + (0..<12).map { "EXPOSE \($0)/TCP\n" }.joined()
    let shown = try checked(many).warnings()
    #expect(shown.count == 9)
    #expect(shown.allSatisfy { $0.severity == .warning })
    #expect(shown.last?.message == "there are 4 more findings")
    #expect(try checked("FROM a:1\nEXPOSE 1/TCP\n").warnings().map(\.id) == ["ExposeProtoCasing"])
  }

  @Test("error=true stops a build that has findings")
  func refused() {
    let refused = checked("# check=error=true\nFROM a:1\nEXPOSE 1/TCP\nCMD x\n")
    do {
      _ = try refused.warnings()
      Issue.record("no failure")
    } catch {
      #expect(error.status == 65)
      #expect(
        error.diagnostics.last?.message
          == "the check option error=true is set, and there are findings of ExposeProtoCasing, "
          + "JSONArgsRecommended")
    }
  }

  @Test("options given to a build replace those of the file, and must be ones")
  func options() throws {
    func image(_ text: String) throws -> DeclaredImage {
      let result = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
      return DeclaredImage(
        graph: try #require(result.graph), contexts: [:], contextDirectory: ".", tags: [],
        source: SourceText(Array(text.utf8)), found: result.diagnostics)
    }
    let strict = try image("# check=error=true\nFROM a:1\nCMD x\n")
    #expect(try CheckedGraph(strict, ignore: nil, options: "skip=all").warnings() == [])
    #expect(throws: CommandFailure.self) { try CheckedGraph(strict, ignore: nil).warnings() }
    let lax = try image("FROM a:1\nCMD x\n")
    #expect(try CheckedGraph(lax, ignore: nil).warnings().count == 1)
    #expect(throws: CommandFailure.self) {
      try CheckedGraph(lax, ignore: nil, options: "error=true").warnings()
    }
    #expect(throws: CommandFailure.self) {
      try CheckedGraph(lax, ignore: nil, options: "nonsense").warnings()
    }
    #expect(throws: CommandFailure.self) {
      try CheckedGraph(try image("# check=nonsense\nFROM a:1\n"), ignore: nil).warnings()
    }
  }
}
