import PipelineDSL
import SystemPackage

/// One build as the command line asks for it.
struct BuildRequest: Sendable {
  var graph: StageGraph
  var options: BuildOptions
  var inputs: BuildInputs
  /// Where bases come from.
  var contexts: ContextCatalog
  /// How registries are reached for what no context gives, and for pushing.
  var registries = RegistryOptions()
  var stateDirectory: FilePath
  var usesCache = true
  /// Names the image gets in the store.
  var tags: [String] = []
  var outputs: [OutputSpecification] = []
  /// A file for the image's digest (`--iidfile`).
  var idFile: FilePath?
  /// A file for what was built, as JSON (`--metadata-file`).
  var metadataFile: FilePath?
}
