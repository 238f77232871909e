import PipelineDSL
import Testing

@Suite("Parser directives")
struct DirectiveTests {
  @Test(
    "L1: syntax, escape and check are read until a line is something else",
    arguments: [
      ("# syntax=a b \n# ESCAPE = `\n#check=skip=all\n", "a b", "`", "skip=all"),
      ("# other=1\n# escape=`\n", nil, "\\", nil),
      ("\n# escape=`\n", nil, "\\", nil),
      ("# a comment\n# syntax=x\n", nil, "\\", nil),
      ("# escape=\n# syntax=x\n", nil, "\\", nil),
      ("  # syntax=x\n", "x", "\\", nil),
    ] as [(String, String?, Unicode.Scalar, String?)])
  func directives(
    text: String, syntax: String?, escape: Unicode.Scalar, check: String?
  ) throws {
    let directives = try readGraph(text + "FROM a\n").directives
    #expect(directives == StageGraph.Directives(syntax: syntax, escape: escape, check: check))
  }

  @Test("L2: after a '#!' line a frontend is still looked for, an escape is not")
  func shebang() throws {
    let graph = try readGraph("#!/usr/bin/env x\n# syntax=y\n# escape=`\nFROM a\n")
    #expect(graph.directives == StageGraph.Directives(syntax: "y"))
    #expect(graph.stages[0].comments == ["#!/usr/bin/env x", "# escape=`"])
  }

  @Test("L1: a repeated directive and another escape character are errors")
  func errors() {
    #expect(
      readErrors("# escape=`\n# escape=`\nFROM a\n") == [
        "2:1-2:11 only one 'escape' directive can be used"
      ])
    #expect(
      readErrors("# escape=x\nFROM a\n") == [
        "1:1-1:11 invalid escape token 'x' does not match ` or \\"
      ])
  }
}
