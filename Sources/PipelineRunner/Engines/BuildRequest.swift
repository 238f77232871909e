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
  /// What the sources are pinned to.
  var lock: SourceLock
  var usesCache = true
  /// Caches of other machines that are read, and those that are written.
  var importedCaches: [CacheSpecification] = []
  var exportedCaches: [CacheSpecification] = []
  /// Whether a step that would run is an error (`--fail-on-miss`).
  var failsOnMiss = false
  /// The image is built for each; the first is that of the options.
  var platforms: [Platform]
  /// What each command may use.
  var limits = ResourceLimits()
  /// Whether a person gets a shell where a command failed.
  var opensShellOnFailure = false
  /// Names the image gets in the store.
  var tags: [String] = []
  var outputs: [OutputSpecification] = []
  /// What the checks found, to be told before the build.
  var warnings: [Diagnostic] = []
  /// `--annotation`, for every output that has a manifest.
  var annotations: [OutputAnnotation] = []
  /// Statements made about the image, for outputs that can hold them.
  var attestations = AttestationOptions()
  /// A file for the image's digest (`--iidfile`).
  var idFile: FilePath?
  /// A file for what was built, as JSON (`--metadata-file`).
  var metadataFile: FilePath?
}

extension BuildRequest {
  /// Names that the store keeps the image under: tags, and those of `type=image`.
  var storeNames: [String] {
    unique(tags + outputs.filter { $0.kind == .image }.flatMap(\.names))
  }

  /// Every name the image gets anywhere.
  var allNames: [String] { unique(tags + outputs.flatMap(\.names)) }

  /// Whether anybody asks for a config; a directory of files has none, and then nothing is packed.
  var needsImage: Bool {
    outputs.isEmpty || outputs.contains { !$0.isFileTree } || !storeNames.isEmpty
      || idFile != nil || metadataFile != nil
  }

  /// Whether the image itself tells of its steps: `--cache-to type=inline`, or BuildKit's argument
  /// of old.
  var embedsCache: Bool {
    exportedCaches.contains { $0.place == .inline }
      || OutputFields.flag(options.buildArguments["BUILDKIT_INLINE_CACHE"] ?? "") == true
  }

  /// Looks at outputs and platforms together, before anything runs.
  func check() throws(Diagnostic) {
    if exportedCaches.contains(where: { $0.place == .inline }), !needsImage {
      throw Diagnostic(
        "an inline cache lies in the image, and no output is one",
        help: "add one, such as -o type=registry,name=…, or leave --cache-to type=inline out")
    }
    let piped = outputs.count { $0.destination == .standardOutput }
    guard piped <= 1 else {
      throw Diagnostic("\(piped) outputs go to standard output; only one can")
    }
    var places: Set<FilePath> = []
    for output in outputs {
      guard case .path(let path) = output.destination, output.isArchive || output.isFileTree else {
        continue
      }
      guard places.insert(path).inserted else {
        throw Diagnostic("two outputs go to '\(path)'")
      }
    }
    for output in outputs where output.pushes {
      let names = output.names(tags: tags)
      guard !names.isEmpty else {
        throw Diagnostic(
          "a push needs a name", help: "give one with -t, or with -o type=registry,name=…")
      }
      for name in names where try RegistryReference(name).digest != nil {
        throw Diagnostic("'\(name)' has a digest, and a push goes to a tag")
      }
    }
    if !attestations.isEmpty {
      for output in outputs where !output.isFileTree && output.mediaTypes == .docker {
        throw Diagnostic(
          "'\(output)' cannot hold attestations, which need OCI media types",
          help: "write type=oci or type=registry, or leave --sbom and --provenance out")
      }
      guard outputs.contains(where: { !$0.isFileTree && ($0.destination != nil || $0.pushes) })
      else {
        throw Diagnostic(
          "no output holds attestations",
          help: "add one, such as -o type=oci,dest=image.tar, or leave --sbom and --provenance out")
      }
    }
    guard platforms.count > 1 else { return }
    for output in outputs where output.kind == .docker {
      throw Diagnostic(
        "a docker archive holds one platform, and \(platforms.count) are built",
        help: "write an OCI archive with type=oci, or build one --platform")
    }
    if let epoch = platforms.first(where: { platform in
      platforms.count { $0 == platform } > 1
    }) {
      throw Diagnostic("the platform \(epoch) is asked for twice")
    }
  }

  /// How registries are reached, with what `registry.insecure=true` of an output allows.
  var registriesWithOutputs: RegistryOptions {
    var options = registries
    for output in outputs where output.isInsecure {
      for name in output.names(tags: tags) {
        if let reference = try? RegistryReference(name) {
          options.plainHosts.insert(reference.registry)
        }
      }
    }
    return options
  }

  private func unique(_ names: [String]) -> [String] {
    var seen = Set<String>()
    return names.filter { seen.insert($0).inserted }
  }
}
