import PipelineDSL

/// The image that the running program declares, where it is a user's own program.
struct Declaration: Sendable {
  /// The program's name, for help.
  var programName: String
  var makeImage: @Sendable () throws -> DeclaredImage

  @TaskLocal static var current: Declaration?
}

/// What a declaration comes to: the graph, and what the command line may replace.
struct DeclaredImage: Sendable {
  var graph: StageGraph
  /// Sources of named contexts, in the spelling of `--build-context`.
  var contexts: [String: String]
  /// The main context where the command line names none.
  var contextDirectory: String
  /// The names the image gets without `-t`.
  var tags: [String]
  /// The platforms the image is for without `--platform`; none is this machine's.
  var platforms: [Platform] = []
  /// Annotations of the manifests, before those of the command line.
  var annotations: [String: String] = [:]
  /// The text of the Dockerfile where the graph was read from one.
  var source: SourceText?
  /// What the parser had to say that is no error.
  var found: [Diagnostic] = []
}
