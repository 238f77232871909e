import PipelineDSL
import Testing

@testable import PipelineRunner

/// Knows images by name and counts who asked for which.
private struct FakeResolver: BaseResolver {
  var images: [String: ImageConfiguration.Execution] = [:]
  var directories: Set<String> = []
  /// What the images are for, where that is not what was asked for.
  var architecture: String?

  func resolve(
    _ reference: String, platform: Platform, at location: PipelineDSL.SourceLocation?
  ) async throws -> ResolvedImage {
    guard let execution = images[reference] else {
      throw Diagnostic("no image '\(reference)'", at: location)
    }
    let digest = SHA256Hasher.digest(of: Array(reference.utf8))
    return ResolvedImage(
      digest: digest,
      configuration: ImageConfiguration(
        architecture: architecture ?? platform.architecture, os: platform.os, config: execution,
        rootfs: .init(diffIDs: [])), layers: [])
  }

  func context(named name: String) async throws -> String? {
    directories.contains(name) ? name : nil
  }
}

@Suite("Planning")
struct PlannerTests {
  private let platform = Platform(architecture: "amd64")

  private func plan(
    _ dockerfile: String, images: [String: ImageConfiguration.Execution] = ["base": .init()],
    directories: Set<String> = [], configure: (inout BuildOptions) -> Void = { _ in }
  ) async throws -> Plan {
    let result = DockerfileParser.parse(Array(dockerfile.utf8), file: "Dockerfile")
    let graph = try #require(result.graph, "\(result.diagnostics)")
    var options = BuildOptions(platform: platform, buildPlatform: platform)
    options.contextNames = directories
    configure(&options)
    return try await Planner.plan(
      graph, options: options, resolver: FakeResolver(images: images, directories: directories))
  }

  @Test(
    "a base for another platform is warned of, unless the rule is left out",
    arguments: [("", 1), ("# check=skip=InvalidBaseImagePlatform\n", 0)])
  func warnsOfPlatform(directive: String, count: Int) async throws {
    let text = directive + "FROM base\n"
    let graph = try #require(DockerfileParser.parse(Array(text.utf8), file: "Dockerfile").graph)
    let resolver = FakeResolver(images: ["base": .init()], architecture: "arm64")
    let plan = try await Planner.plan(
      graph, options: BuildOptions(platform: platform, buildPlatform: platform), resolver: resolver)
    #expect(
      plan.warnings.map(\.message)
        == Array(
          repeating: "the base image 'base' is for linux/arm64, and linux/amd64 is built",
          count: count))
  }

  private func execution(_ plan: Plan) throws -> ImageConfiguration.Execution {
    try #require(plan.image.configuration.config)
  }

  private func failure(_ dockerfile: String) async -> Diagnostic? {
    do {
      _ = try await plan(dockerfile)
      return nil
    } catch {
      return error as? Diagnostic
    }
  }

  @Test("only stages that the target needs are planned, and the others are named (S5)")
  func reachableOnly() async throws {
    let plan = try await plan(
      """
      FROM base AS unused
      RUN unused
      FROM base AS used
      RUN used
      FROM base
      COPY --from=used /a /a
      """)
    #expect(plan.operations.map(\.title) == ["FROM base", "RUN used", "COPY --from=used /a /a"])
    #expect(plan.skipped.map(\.name) == ["unused"])
    #expect(plan.stages.map(\.name) == ["used", "stage-2"])
  }

  @Test("equal steps of two stages are one operation")
  func mergesEqualOperations() async throws {
    let plan = try await plan(
      """
      FROM base AS a
      RUN same
      RUN first
      FROM base AS b
      RUN same
      RUN second
      FROM scratch
      COPY --from=a /x /a
      COPY --from=b /x /b
      """)
    #expect(plan.operations.map(\.title).filter { $0 == "RUN same" }.count == 1)
  }

  @Test("a later ARG hides an ENV for commands and not in the config (X3)")
  func argumentAfterVariable() async throws {
    let plan = try await plan("FROM base\nENV A=env\nARG A=arg\nRUN true\nLABEL l=$A")
    let config = try execution(plan)
    #expect(config.environment?.contains("A=env") == true)
    #expect(config.labels == ["l": "arg"])
    guard case .run(let run) = plan.operations[1].action else {
      Issue.record("not a command")
      return
    }
    #expect(run.environment.contains("A=arg"))
    #expect(!run.environment.contains("A=env"))
  }

  @Test("one ENV sees the environment as it was before it (V8)")
  func environmentSnapshot() async throws {
    let plan = try await plan("FROM base\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc")
    let list = try #require(try execution(plan).environment)
    #expect(list.suffix(3) == ["abc=bye", "def=hello", "ghi=bye"])
  }

  @Test("a global argument is seen in a stage that asks for it, and only there (S6)")
  func globalArguments() async throws {
    let plan = try await plan("ARG V=1\nFROM base AS a\nLABEL l=x$V\nFROM a\nARG V\nLABEL m=x$V")
    #expect(try execution(plan).labels == ["l": "x", "m": "x1"])
  }

  @Test("ENTRYPOINT clears an inherited CMD and not the stage's own (M2)")
  func entrypointAndCommand() async throws {
    let images = ["base": ImageConfiguration.Execution(command: ["inherited"])]
    let cleared = try await plan("FROM base\nENTRYPOINT [\"e\"]", images: images)
    #expect(try execution(cleared).command == nil)
    let kept = try await plan("FROM base\nCMD [\"own\"]\nENTRYPOINT [\"e\"]", images: images)
    #expect(try execution(kept).command == ["own"])
  }

  @Test("triggers of a base run first and are cleared (S10)")
  func triggers() async throws {
    let images = ["base": ImageConfiguration.Execution(onBuild: ["RUN trigger", "ENV T=1"])]
    let plan = try await plan("FROM base AS a\nRUN own\nFROM a\nRUN last", images: images)
    #expect(
      plan.operations.map(\.title) == ["FROM base", "RUN trigger", "RUN own", "RUN last"])
    #expect(try execution(plan).onBuild == nil)
  }

  @Test("history tells build arguments and the step's text (section 7)")
  func history() async throws {
    let plan = try await plan(
      "FROM base\nARG A=1\nRUN x\nCMD [\"a\", \"b\"]\nEXPOSE 81 80/UDP\nWORKDIR /w\nCOPY --chown=1:2 a b /d/"
    )
    #expect(
      plan.image.history.map(\.entry.createdBy) == [
        "ARG A=1", "RUN |1 A=1 /bin/sh -c x # buildkit", "CMD [\"a\" \"b\"]",
        "EXPOSE [80/udp 81/tcp]", "WORKDIR /w", "COPY --chown=1:2 a b /d/ # buildkit",
      ])
    #expect(
      plan.image.history.map { $0.operation != nil } == [false, true, false, false, true, true])
  }

  @Test("a RUN's key material holds no labels, ports or commands of the image (K3)")
  func metadataStaysOutOfCommands() async throws {
    let plain = try await plan("FROM base\nRUN x")
    let labelled = try await plan("FROM base\nLABEL a=b\nEXPOSE 80\nCMD c\nRUN x")
    #expect(plain.operations.map(\.action) == labelled.operations.map(\.action))
  }

  @Test("a bare unknown name in --from is an error with the nearest stage, unless allowed")
  func unknownFrom() async throws {
    let text = "FROM base AS assets\nFROM base\nCOPY --from=asets /a /a"
    let error = try #require(await failure(text))
    #expect(error.message == "'asets' is neither an earlier stage nor a named context")
    #expect(error.help?.hasPrefix("did you mean 'assets'?") == true)
    let allowed = try await plan(text, images: ["base": .init(), "asets": .init()]) {
      $0.pullsUnknownNames = true
    }
    #expect(allowed.operations.contains { $0.title == "FROM asets" })
  }

  @Test("stages by number: earlier ones only (S3, S4)")
  func stageNumbers() async throws {
    _ = try await plan("FROM base\nRUN a\nFROM scratch\nCOPY --from=0 /a /a")
    for number in ["1", "2", "-1"] {
      let error = await failure("FROM base\nFROM scratch\nCOPY --from=\(number) /a /a")
      #expect(error?.message == "invalid stage index \(number)")
    }
  }

  @Test("grants are asked for before anything runs")
  func grants() async throws {
    for flag in ["--network=host", "--security=insecure"] {
      let error = await failure("FROM base\nRUN \(flag) x")
      #expect(error?.message == "'\(flag)' needs a grant")
      #expect(error?.location?.line == 2)
    }
    let plan = try await plan("FROM base\nRUN --security=insecure x") {
      $0.entitlements = ["security.insecure"]
    }
    guard case .run(let run) = plan.operations[1].action else { return }
    #expect(run.isInsecure)
  }

  @Test("proxy arguments reach commands and nothing else (S8)")
  func proxies() async throws {
    let plan = try await plan("FROM base\nRUN x") {
      $0.buildArguments = ["HTTP_PROXY": "http://user:secret@proxy"]
    }
    guard case .run(let run) = plan.operations[1].action else { return }
    #expect(run.proxies == ["HTTP_PROXY=http://user:secret@proxy"])
    #expect(!run.environment.contains { $0.contains("secret") })
    #expect(!plan.image.history.contains { $0.entry.createdBy?.contains("secret") == true })
  }

  @Test("a here-document alone is the shell's script, with #! a file of its own (R2)")
  func heredocs() async throws {
    func run(_ text: String) async throws -> RunAction? {
      let plan = try await plan(text)
      guard case .run(let run) = plan.operations[1].action else { return nil }
      return run
    }
    let plain = try await run("FROM base\nRUN <<EOF\necho a\nEOF\n")
    #expect(plain?.arguments == ["/bin/sh", "-c", "echo a\n"])
    let script = try await run("FROM base\nRUN <<EOF\n#!/bin/awk\nx\nEOF\n")
    #expect(script?.arguments == ["/dev/pipes/EOF"])
    #expect(script?.mounts == [.script(content: "#!/bin/awk\nx\n", target: "/dev/pipes/EOF")])
    let fed = try await run("FROM base\nRUN cat <<A > /x\nhi\nA\n")
    #expect(fed?.arguments == ["/bin/sh", "-c", "cat <<A > /x\nhi\nA"])
  }

  @Test("the target by name in any case, with a suggestion where there is none (S5)")
  func targets() async throws {
    let plan = try await plan("FROM base AS web\nRUN a\nFROM base AS db\nRUN b") {
      $0.target = "WEB"
    }
    #expect(plan.operations.map(\.title) == ["FROM base", "RUN a"])
    let error = await #expect(throws: Diagnostic.self) {
      _ = try await self.plan("FROM base AS web\nFROM base AS db") { $0.target = "wen" }
    }
    #expect(error?.help == "did you mean 'web'?")
  }
}
