import PipelineDSL
import Testing

@Suite("Reading and printing")
struct RoundTripTests {
  @Test("the corpus is there")
  func corpus() {
    #expect(CorpusFile.all.count >= 200)
  }

  @Test(
    "reading what was printed gives the same graph and the same text", arguments: CorpusFile.all)
  func roundTrip(file: CorpusFile) throws {
    let graph = try read(file.bytes)
    let printed = try DockerfilePrinter.print(graph)
    let again = try read(Array(printed.utf8))
    #expect(again == graph, "\(printed)")
    #expect(again.directives.escape == graph.directives.escape)
    #expect(again.directives.check == graph.directives.check)
    // Printing names a frontend where older ones would not know a flag.
    #expect(graph.directives.syntax == nil || again.directives.syntax == graph.directives.syntax)
    #expect(try DockerfilePrinter.print(again) == printed)
  }

  @Test("comments survive, each once and in order", arguments: CorpusFile.all)
  func comments(file: CorpusFile) throws {
    let graph = try read(file.bytes)
    let printed = try DockerfilePrinter.print(graph)
    #expect(try comments(in: read(Array(printed.utf8))) == comments(in: graph))
  }

  @Test("comment lines are found where they stood")
  func commentPlaces() throws {
    let text = """
      # one

      # two
      FROM alpine

      # three
      RUN a \\
        # four
        b
      # five

      """
    let graph = try read(Array(text.utf8))
    #expect(graph.stages[0].comments == ["# one", "", "# two"])
    #expect(graph.stages[0].steps[0].comments == ["", "# three"])
    #expect(
      graph.stages[0].steps[0].innerComments == [InnerComment("# four", followingBytes: 1)])
    #expect(graph.trailingComments == ["# five"])
    #expect(try DockerfilePrinter.print(graph) == text.replacing("# five", with: "\n# five"))
  }

  @Test("the text of a file in our own layout is printed byte for byte")
  func canonical() throws {
    let text = """
      # syntax=docker/dockerfile:1

      # the release
      ARG TAG=3.20

      FROM --platform=linux/amd64 alpine:$TAG AS base
      ENV A=1 \\
          B="two three"
      RUN apk add --no-cache \\
            curl \\
            # for the tests
            git \\
          && rm -rf /var/cache/apk

      # what is delivered
      FROM scratch
      COPY --from=base --chown=1000:1000 --link /out /
      COPY <<motd /etc/
      Welcome to $HOME
      motd
      ENTRYPOINT ["/app", "--serve"]

      """
    #expect(try DockerfilePrinter.print(read(Array(text.utf8))) == text)
  }

  private func read(_ bytes: [UInt8]) throws -> StageGraph {
    let result = DockerfileParser.parse(bytes, file: "Dockerfile")
    let errors = result.diagnostics.filter { $0.severity == .error }
    #expect(errors == [])
    return try #require(result.graph)
  }

  private func comments(in graph: StageGraph) -> [String] {
    let steps =
      graph.globals
      + graph.stages.flatMap { stage in
        [StageGraph.Step(.run(RunInstruction(.shell(""))), comments: stage.comments)] + stage.steps
      }
    let all = steps.flatMap { $0.comments + $0.innerComments.map(\.text) }
    return (all + graph.trailingComments).filter { !$0.isEmpty }
  }
}
