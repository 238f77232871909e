import ArgumentParser
import Glibc
import PipelineDSL
import SystemPackage

/// `build`: runs what has to run and writes the image.
struct BuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build", abstract: "Build the image.")

  @OptionGroup var flags: BuildFlags

  @Option(name: [.short, .customLong("tag")], help: "Name the image in the store.")
  var tag: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write the image: type=oci|docker|tar|local,dest=PATH[,name=…] or type=registry,name=…; a bare path is a directory. May be given several times.",
      valueName: "output"))
  var output: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use what others did: type=registry,ref=NAME or type=local,src=DIR; an image with an inline cache is one too.",
      valueName: "cache"))
  var cacheFrom: [String] = []

  @Option(
    help: ArgumentHelp(
      "Let others use what is done: type=registry,ref=NAME or type=local,dest=DIR[,mode=max][,cache-mounts=true], or type=inline.",
      valueName: "cache"))
  var cacheTo: [String] = []

  @Flag(help: "Push the image under its names: short for -o type=registry.")
  var push = false

  @Option(
    help: ArgumentHelp(
      "Annotate the manifest, or another level: [manifest|index|…:]KEY=VALUE.", valueName: "text"))
  var annotation: [String] = []

  @Flag(help: "Attach a bill of materials: the packages found in the image, as SPDX.")
  var sbom = false

  /// The value of `--sbom=…`.
  @Option(name: .customLong(DockerSpelling.sbomValue), help: .hidden)
  var sbomValue: String?

  @Option(
    help: ArgumentHelp(
      "Attach how the image was made, as SLSA provenance: min, max or false.", valueName: "mode"))
  var provenance: String?

  @Flag(help: "Fail at the first step that the cache does not serve, and say why.")
  var failOnMiss = false

  @Option(
    help: ArgumentHelp(
      "Build with this builder of docker's buildx instead of here; 'default' is docker's own.",
      valueName: "name"))
  var builder: String?

  @Option(help: "How to show progress: auto, tty, plain, json or quiet.")
  var progress: ProgressMode = .auto

  @Option(help: "What to do where a command fails: stop, or open a shell in its place.")
  var onFailure: FailureMode = .stop

  @Option(help: "Write the image's digest to this file.")
  var iidfile: String?

  @Option(help: "Write what was built to this file, as JSON.")
  var metadataFile: String?

  func run() async throws {
    if builder == nil { try await Privilege.require() }
    var outputs = try output.map { text in
      try BuildFlags.usage { () throws(Diagnostic) in try OutputSpecification(parsing: text) }
    }
    if push { outputs.append(OutputSpecification(kind: .registry)) }
    var request = try flags.request(tags: tag, outputs: outputs)
    request.annotations += try annotation.flatMap { text in
      try BuildFlags.usage { () throws(Diagnostic) in try OutputAnnotation.parse(text) }
    }
    request.failsOnMiss = failOnMiss
    request.attestations.hasSBOM = sbom
    if let sbomValue {
      let (hasSBOM, warning) = try BuildFlags.usage { () throws(Diagnostic) in
        try AttestationOptions.sbom(sbomValue)
      }
      request.attestations.hasSBOM = hasSBOM
      if let warning { request.warnings.append(warning) }
    }
    if let provenance {
      request.attestations.provenance = try BuildFlags.usage { () throws(Diagnostic) in
        try AttestationOptions.provenance(provenance)
      }
    }
    if onFailure == .shell {
      guard TerminalSession.isPossible else {
        throw CommandFailure.usage(
          "--on-failure=shell needs a terminal: standard input and output have to be one")
      }
      request.opensShellOnFailure = true
    }
    request.importedCaches = try cacheFrom.map { text in
      try BuildFlags.usage { () throws(Diagnostic) in
        try CacheSpecification(parsing: text, isTarget: false)
      }
    }
    request.exportedCaches = try cacheTo.map { text in
      try BuildFlags.usage { () throws(Diagnostic) in
        try CacheSpecification(parsing: text, isTarget: true)
      }
    }
    request.idFile = iidfile.map { FilePath($0) }
    request.metadataFile = metadataFile.map { FilePath($0) }
    if let builder { return try await buildx(builder, request).build() }
    let store = try Store(at: request.stateDirectory)
    let renderer = progress.renderer
    if let notice = IdentityMap.notice { renderer.handle(.warning(notice)) }
    let report = try await LocalEngine(store: store, progress: renderer).build(request)
    switch progress {
    case .quiet: if let id = report.id { print(id) }
    case .json: break
    case .auto, .tty, .plain: StandardError.write(report.text)
    }
    if outputs.isEmpty && request.tags.isEmpty {
      Terminal.report([
        Diagnostic(
          "the image was built and is kept nowhere but in the cache", severity: .warning,
          help: "name it with -t, or write it with -o")
      ])
    }
  }
}

/// The values of `--on-failure`.
enum FailureMode: String, ExpressibleByArgument, CaseIterable, Sendable {
  case stop
  case shell
}

/// The values of `--progress`.
enum ProgressMode: String, ExpressibleByArgument, CaseIterable, Sendable {
  case auto
  case tty
  case plain
  case json
  case quiet

  var renderer: any ProgressRenderer {
    switch self {
    case .auto:
      StandardError.isTerminal
        ? TerminalProgress(render: Terminal.render) : PlainProgress(render: Terminal.render)
    case .tty: TerminalProgress(render: Terminal.render)
    case .plain: PlainProgress(render: Terminal.render)
    case .json: JSONProgress()
    case .quiet: QuietProgress()
    }
  }
}
