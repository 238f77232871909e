import FoundationEssentials
import PipelineDSL
import Synchronization
import SystemPackage
import Testing

@testable import PipelineRunner

/// Whole builds without commands: what the engine makes of a Dockerfile.
@Suite("Building")
struct EngineTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try directory.write("context/a", "first")
  }

  private func path(_ name: String) -> FilePath { directory.path.pushing(FilePath(name)) }

  private func request(
    _ dockerfile: String, base: String? = nil, outputs: [String] = []
  ) throws -> BuildRequest {
    let parsed = DockerfileParser.parse(Array(dockerfile.utf8), file: "Dockerfile")
    let graph = try #require(parsed.graph)
    let platform = Platform(architecture: "amd64")
    var options = BuildOptions(platform: platform, buildPlatform: platform)
    var entries: [String: ContextCatalog.Entry] = [:]
    if let base, let source = try ImageSource.detect(base, relativeTo: directory.path) {
      entries["base"] = .image(source)
    }
    options.contextNames = Set(entries.keys)
    options.sourceDateEpoch = 1_700_000_000
    var inputs = BuildInputs()
    inputs.contexts[""] = ContextTree(path("context"))
    return BuildRequest(
      graph: graph, options: options, inputs: inputs, contexts: ContextCatalog(entries),
      stateDirectory: path("store"), lock: SourceLock(path: path("Image.lock"), content: nil),
      platforms: [platform], outputs: try outputs.map { try OutputSpecification(parsing: $0) })
  }

  private func build(_ request: BuildRequest) async throws -> BuildReport {
    let store = try Store(at: request.stateDirectory)
    return try await LocalEngine(store: store, progress: QuietProgress()).build(request)
  }

  /// What `explain` says of each step.
  private func explain(_ request: BuildRequest) async throws -> [String] {
    let store = try Store(at: request.stateDirectory)
    let plan = try await request.plan(request.options)
    return try await Forecast(plan: plan, store: store, request: request).steps().compactMap {
      guard let text = ExplainCommand.text($0.outcome) else { return nil }
      // When and how long is another each time.
      let words = text.hasPrefix("cached") ? String(text.split(separator: ",").last ?? "") : text
      return "\(StepText.name($0.operation))\(words.hasPrefix(" ") ? "" : " ")\(words)"
    }
  }

  private let chain = """
    FROM scratch AS one
    COPY a /a
    FROM scratch
    COPY --from=one /a /b
    COPY <<c /c
    text
    c
    """

  @Test("a base image says when it has arrived")
  func arrival() async throws {
    _ = try await build(
      request("FROM scratch\nCOPY a /a\n", outputs: ["type=oci,tar=false,dest=\(path("base"))"]))
    var request = try request("FROM base\nCOPY a /b\n", base: "oci-layout://\(path("base"))")
    request.stateDirectory = path("other")
    let written = Mutex("")
    let progress = PlainProgress(
      render: { $0.message }, write: { text in written.withLock { $0 += text } })
    let store = try Store(at: request.stateDirectory)
    _ = try await LocalEngine(store: store, progress: progress).build(request)
    let lines = written.withLock { $0 }.split(separator: "\n")
    let arrived = try #require(lines.firstIndex { $0.contains("B unpacked in") })
    #expect(lines[arrived].hasPrefix("[image 1/2] FROM base  (Dockerfile:1): "))
    let started = try #require(lines.firstIndex { $0.hasPrefix("[image 2/2] COPY a /b") })
    #expect(arrived < started)
  }

  @Test("a miss is explained by the first input that changed, or by the step it comes from")
  func explanations() async throws {
    let request = try request(chain)
    #expect(
      try await explain(request) == [
        "[one 1/1] runs: never built here",
        "[stage-1 1/2] runs if [one 1/1] makes other content than before",
        "[stage-1 2/2] runs if [stage-1 1/2] makes other content than before",
      ])
    #expect(try await build(request).operations == (3, 0))
    #expect(
      try await explain(request) == [
        "[one 1/1] for the first time", "[stage-1 1/2] for the first time",
        "[stage-1 2/2] for the first time",
      ])
    #expect(try await build(request).operations == (0, 3))
    try directory.write("context/a", "second")
    #expect(try await explain(request)[0] == "[one 1/1] runs: a changed")
    #expect(try await build(request).operations == (3, 0))
    #expect(
      try await explain(request) == [
        "[one 1/1] because a changed", "[stage-1 1/2] because /a: [one 1/1] made other content",
        "[stage-1 2/2] because [stage-1 1/2] made other content",
      ])
  }

  @Test("with --fail-on-miss the first step that would run ends the build")
  func failsOnMiss() async throws {
    var request = try request(chain)
    request.failsOnMiss = true
    let error = await #expect(throws: Diagnostic.self) { try await build(request) }
    #expect(error?.message == "the cache does not serve this step: never built here")
    #expect(error?.location?.line == 2)
    request.failsOnMiss = false
    _ = try await build(request)
    request.failsOnMiss = true
    #expect(try await build(request).operations == (0, 3))
  }

  @Test("several platforms make one index, each with its own config")
  func platforms() async throws {
    var request = try request(
      "FROM scratch\nARG TARGETARCH\nCOPY a /$TARGETARCH\n",
      outputs: ["type=oci,dest=\(path("out.tar")),annotation-index.k=v", "\(path("out"))"])
    request.platforms = [Platform(architecture: "amd64"), Platform(architecture: "arm64")]
    let report = try await build(request)
    #expect(report.descriptor?.mediaType == MediaType.ociIndex)
    #expect(report.images.map { "\($0.platform)" } == ["linux/amd64", "linux/arm64"])
    for platform in request.platforms {
      let source = try ImageSource.detect("out.tar", relativeTo: directory.path)
      let image = try #require(source).resolve(platform: platform)
      #expect(image.configuration.architecture == platform.architecture)
      let file = path("out/linux_\(platform.architecture)/\(platform.architecture)")
      #expect(try FileContent.read(file) == Array("first".utf8))
    }
    request.outputs = [try OutputSpecification(parsing: "type=docker,dest=\(path("d.tar"))")]
    let error = await #expect(throws: Diagnostic.self) { try await build(request) }
    #expect(error?.message == "a docker archive holds one platform, and 2 are built")
  }

  @Test("a base's blobs go along byte for byte, unless another compression is forced")
  func baseBlobs() async throws {
    _ = try await build(
      try request("FROM scratch\nCOPY a /a\n", outputs: ["type=oci,dest=\(path("base.tar"))"]))
    func layers(_ name: String) throws -> [Descriptor] {
      let source = try ImageSource.detect(name, relativeTo: directory.path)
      let image = try #require(source).resolve(platform: Platform(architecture: "amd64"))
      return image.layers.map(\.descriptor)
    }
    let dockerfile = "FROM base\nCOPY a /b\n"
    for (name, fields) in [("kept.tar", ""), ("forced.tar", ",force-compression=true")] {
      let output = "type=oci,dest=\(path(name)),compression=zstd\(fields)"
      _ = try await build(try request(dockerfile, base: "base.tar", outputs: [output]))
    }
    #expect(try layers("kept.tar")[0] == layers("base.tar")[0])
    let forced = try layers("forced.tar")
    #expect(forced.map(\.mediaType) == [MediaType.ociLayerZstd, MediaType.ociLayerZstd])
    // The tar inside is the same: the config still names it.
    let text = try ImageFixture.tool(
      "skopeo", "inspect", "--config", "oci-archive:\(path("forced.tar"))")
    let config = try JSONDecoder().decode(ImageConfiguration.self, from: Data(text.utf8))
    let source = try ImageSource.detect("kept.tar", relativeTo: directory.path)
    let kept = try #require(source).resolve(platform: Platform(architecture: "amd64"))
    #expect(config.rootfs.diffIDs == kept.configuration.rootfs.diffIDs)
  }

  @Test("provenance names secrets by id and nothing that is secret (threat 22)")
  func provenance() async throws {
    let dockerfile = """
      FROM scratch
      ARG API_TOKEN
      ADD --checksum=sha256:\(String(repeating: "a", count: 64)) https://me:hunter2@x.org/f /f
      RUN --mount=type=secret,id=pw true
      """
    var request = try request(dockerfile)
    request.options.buildArguments = [
      "API_TOKEN": "hunter2", "HTTP_PROXY": "http://u:hunter2@p", "PLAIN": "visible",
    ]
    let plan = try await request.plan(request.options)
    let provenance = Provenance(plan, request, mode: .max, created: nil)
    let text = String(decoding: try CanonicalJSON.encode(provenance), as: UTF8.self)
    #expect(!text.contains("hunter2"))
    #expect(text.contains(#""arguments":{"PLAIN":"visible"}"#))
    #expect(text.contains(#""secrets":["pw"]"#))
    #expect(text.contains(#""uri":"https://x.org/f""#))
  }
}
