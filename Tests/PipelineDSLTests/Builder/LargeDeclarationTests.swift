import PipelineDSL
import Testing

@Suite("Large and strange declarations")
struct LargeDeclarationTests {
  @Test("Ten thousand steps that each take an artifact")
  func manySteps() throws {
    let build = Stage("build", from: .image("gcc:14")) {
      for index in 0..<10_000 { Run("make \("target \(index)")") }
    }
    let image = Stage(from: .scratch) {
      for index in 0..<10_000 { Copy(build.file("/out/\(index)"), to: "/\(index)") }
    }
    let graph = try StageGraph(target: image)
    #expect(graph.stages.map(\.steps.count) == [10_000, 10_000])
    #expect(graph.stages[0].artifacts.count == 10_000)
    let text = try DockerfilePrinter.print(graph)
    #expect(DockerfileParser.parse(Array(text.utf8), file: "Dockerfile").graph == graph)
  }

  @Test("A chain of forty thousand stages, declared and forgotten")
  func longChain() throws {
    var last = Stage(from: .image("a"))
    for _ in 0..<40_000 {
      let base = last
      last = Stage(from: base) { Run("x") }
    }
    #expect(try StageGraph(target: last).stages.count == 40_001)
  }

  @Test("Stages that all use each other's artifacts are visited once each")
  func denseGraph() throws {
    var stages: [Stage] = []
    for index in 0..<150 {
      let earlier = stages
      stages.append(
        Stage(from: .image("a")) {
          for stage in earlier { Copy(stage.file("/\(index)"), to: "/") }
        })
    }
    let last = try #require(stages.last)
    #expect(try StageGraph(target: last).stages.count == 150)
  }

  @Test("Text that is not ASCII stays as it is, however Unicode would compare it")
  func unicode() {
    assertSteps {
      Env("GRÜSSE", "e\u{301} ≠ \u{e9}, $\u{301} \u{1F469}\u{200D}\u{1F680}")
      Run("echo \("ü\u{301}'$\u{301}") > /tmp/données")
      Copy(content: "$\u{301}HOME\r\n", to: "/données")
      Label("名前", "値")
      WorkingDirectory("/作業")
    } dockerfile: {
      """
      ENV GRÜSSE="e\u{301} ≠ \u{e9}, \\$\u{301} \u{1F469}\u{200D}\u{1F680}"
      RUN echo 'ü\u{301}'\\''$\u{301}' > /tmp/données
      COPY <<'EOF' /données
      $\u{301}HOME\r
      EOF
      LABEL 名前=値
      WORKDIR /作業
      """
    }
  }

  @Test("Random values in every operand print so that reading gives them back")
  func randomOperands() throws {
    let alphabet: [Unicode.Scalar] = [
      "a", "B", "0", " ", "\t", "'", "\"", "\\", "$", "{", "}", "[", "]", ",", "=", "<", "-", "#",
      "`", "é", "\u{301}", "/", "*", "?", ":", "\u{A0}", "\u{85}", "\u{7F}", "\u{1}", "\r",
    ]
    var state: UInt64 = 7
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(count))
    }
    func text() -> String {
      var text = ""
      for _ in 0...random(6) { text.unicodeScalars.append(alphabet[random(alphabet.count)]) }
      return text
    }
    var printed = 0
    for _ in 0..<3000 {
      let (a, b, c) = (text(), text(), text())
      let candidates: [any Steps] = [
        Env("N", "\(a)"), Label("\(a)", "\(b)"), Copy("\(a)", "\(b)", to: "\(c)"),
        Copy(BaseImage.image("x").file("/" + a), to: "/\(b)"), Run("echo \(a) \"\(b)\""),
        Run("x", a, b), Copy(content: a, to: "/x"), User("\(a)"), WorkingDirectory("/\(a)"),
        Volume("/\(a)", "/\(b)"), Entrypoint(a, b), Command(shell: "x \(a)"),
        Run("x").mounting(Cache(a, at: "/" + b)), Add("\(a)", to: "\(b)").excluding(c),
        Healthcheck(arguments: ["x", a]), Maintainer("x\(a)x"), Shell("x", a),
        OnBuild { Run("echo \(a)") },
      ]
      let step = candidates[random(candidates.count)]
      guard let graph = try? StageGraph(target: Stage(from: .scratch) { step.steps }),
        let dockerfile = try? DockerfilePrinter.print(graph)
      else { continue }
      printed += 1
      let result = DockerfileParser.parse(Array(dockerfile.utf8), file: "Dockerfile")
      #expect(result.graph == graph, "\(dockerfile)")
    }
    #expect(printed > 2000)
  }
}
