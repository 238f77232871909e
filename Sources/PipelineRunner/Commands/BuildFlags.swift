import ArgumentParser
import Glibc
import PipelineDSL
import SystemPackage

/// The options that say what a build is made of; `plan` takes them too.
struct BuildFlags: ParsableArguments {
  @OptionGroup var graph: GraphOptions
  @OptionGroup var state: StateOptions
  @OptionGroup var registry: RegistryFlags
  @OptionGroup var limits: LimitOptions

  @Option(help: "Build this stage instead of the last one.")
  var target: String?

  @Option(help: "Set a build argument: NAME=VALUE, or NAME to take it from the environment.")
  var buildArg: [String] = []

  @Option(
    help: ArgumentHelp(
      "Give a name to a directory, a tar file, oci-layout://DIR:TAG or docker-image://REF.",
      valueName: "name=source"))
  var buildContext: [String] = []

  @Option(help: "Give a secret to steps that mount it: id=ID,src=FILE or id=ID,env=NAME.")
  var secret: [String] = []

  @Option(help: "Give an ssh agent to steps that mount it: default, or ID=SOCKET.")
  var ssh: [String] = []

  @Option(help: "Build for these platforms, such as linux/amd64,linux/arm64.")
  var platform: [String] = []

  @Option(help: "Network of RUN steps that do not say: default, none or host.")
  var network: String?

  @Option(help: "Grant what a step asks for: network.host or security.insecure.")
  var allow: [String] = []

  @Option(help: "Put a label on the image: NAME=VALUE.")
  var label: [String] = []

  @Flag(help: "Run every step, whatever the cache holds.")
  var noCache = false

  @Flag(help: "Let an unknown bare name in COPY --from be an image, as docker does.")
  var pullUnknownNames = false

  @Option(
    help: "Clamp every time in the image: seconds since 1970, or 'git' for the last commit's.")
  var sourceDateEpoch: String?

  @Option(
    help: ArgumentHelp(
      "Read what sources are pinned to from this file (default: Image.lock beside the Dockerfile).",
      valueName: "file"))
  var lockFile: String?

  @Flag(help: "Refuse sources that the lock file does not pin.")
  var locked = false

  @Flag(name: .customLong("no-checks"), help: "Do not warn of what 'check' would find.")
  var skipsChecks = false

  @Argument(help: "The directory that COPY reads from.")
  var context: String?

  /// Everything the flags say, checked.
  func request(tags: [String], outputs: [OutputSpecification]) throws -> BuildRequest {
    let image = try graph.load(context: context)
    let main = FilePath(context ?? image.contextDirectory)
    let warnings = skipsChecks ? image.found : try checked(image, main).warnings()
    var catalog: [String: ContextCatalog.Entry] = [:]
    for (name, source) in image.contexts {
      catalog[name] = try entry(name, source, relativeTo: main)
    }
    for text in buildContext {
      let (name, source) = text.splitAtEqualsSign
      guard !name.isEmpty, !source.isEmpty else {
        throw CommandFailure.usage("--build-context wants NAME=SOURCE, not '\(text)'")
      }
      catalog[name] = try entry(name, source, relativeTo: ".")
    }
    let contexts = ContextCatalog(catalog)
    var options = BuildOptions(platform: .current, buildPlatform: .current)
    let given = try platform.flatMap { $0.split(separator: ",") }.map { text in
      try Self.usage { () throws(Diagnostic) in try Platform(parsing: String(text)) }
    }
    let platforms = given.isEmpty ? image.platforms : given
    if let first = platforms.first { options.platform = first }
    options.target = target
    options.buildArguments = buildArguments()
    options.contextNames = contexts.names
    options.network = network
    options.entitlements = Set(allow)
    options.pullsUnknownNames = pullUnknownNames
    for text in label {
      let (name, value) = text.splitAtEqualsSign
      options.labels[name] = value
    }
    options.sourceDateEpoch = try epoch(declared: image.graph.sourceDateEpoch, options, main)
    var request = BuildRequest(
      graph: image.graph, options: options, inputs: try inputs(contexts, main), contexts: contexts,
      registries: try registry.options(), stateDirectory: state.directory,
      lock: try sourceLock(image, main), usesCache: !noCache,
      platforms: platforms.isEmpty ? [options.platform] : platforms,
      tags: try (tags.isEmpty ? image.tags : tags).map(Self.reference), outputs: outputs,
      warnings: warnings)
    request.limits = try limits.limits
    request.annotations = image.annotations.sorted { $0.key < $1.key }.map { key, value in
      OutputAnnotation(key: key, value: value)
    }
    return request
  }

  // MARK: - Parts

  /// The checks before a build; docker's build argument replaces the file's `# check=`.
  private func checked(
    _ image: DeclaredImage, _ main: FilePath
  ) throws(CommandFailure) -> CheckedGraph {
    CheckedGraph(
      image, ignore: try graph.ignorePatterns(context: main),
      options: buildArguments()["BUILDKIT_DOCKERFILE_CHECK"])
  }

  /// The lock file beside the Dockerfile, or beside the source of the program.
  private func sourceLock(_ image: DeclaredImage, _ main: FilePath) throws -> SourceLock {
    var path = main.appending(SourceLock.fileName)
    if let lockFile {
      path = FilePath(lockFile)
    } else if Declaration.current != nil {
      let source = image.graph.stages.lazy.compactMap(\.location?.path).first { !$0.isEmpty }
      let folder = source.map { FilePath($0).removingLastComponent() }
      if let folder, folder.withPlatformString({ access($0, F_OK) }) == 0 {
        path = folder.appending(SourceLock.fileName)
      }
    } else if let file = graph.file, file != "-" {
      path = FilePath(file).removingLastComponent().appending(SourceLock.fileName)
    }
    let content = try Self.usage { () throws(Diagnostic) in
      do {
        return try LockFile.read(path)
      } catch let error as Diagnostic {
        throw error
      } catch {
        throw Diagnostic("the lock file '\(path)' cannot be read: \(error)")
      }
    }
    if locked, content == nil {
      throw CommandFailure.usage(
        "--locked wants a lock file, and there is no '\(path)'", help: "make one with 'update'")
    }
    return SourceLock(path: path, content: content, isStrict: locked)
  }

  private func buildArguments() -> [String: String] {
    var arguments: [String: String] = [:]
    for text in buildArg {
      if text.contains("=") {
        let (name, value) = text.splitAtEqualsSign
        arguments[name] = value
      } else if let value = ProcessVariables[text] {
        arguments[text] = value
      }
    }
    return arguments
  }

  /// What one named context stands for.
  private func entry(
    _ name: String, _ source: String, relativeTo main: FilePath
  ) throws -> ContextCatalog.Entry {
    if source.hasPrefix("docker-image://") {
      return .reference(String(source.dropFirst("docker-image://".count)))
    }
    let image = try Self.usage { () throws(Diagnostic) in
      try ImageSource.detect(source, relativeTo: main)
    }
    if let image { return .image(image) }
    let directory = main.pushing(FilePath(source))
    try requireDirectory(directory.string, "the build context '\(name)'")
    return .directory(directory)
  }

  private func inputs(_ catalog: ContextCatalog, _ main: FilePath) throws -> BuildInputs {
    var inputs = BuildInputs()
    try requireDirectory(main.string, "the build context")
    inputs.contexts[""] = ContextTree(main, ignore: try graph.ignorePatterns(context: main))
    for (name, path) in catalog.directories {
      try requireDirectory(path.string, "the build context '\(name)'")
      inputs.contexts[name] = ContextTree(path, ignore: try GraphOptions.ownIgnorePatterns(path))
    }
    for text in secret {
      let (id, source) = try secretSource(text)
      inputs.secrets[id] = source
    }
    for text in ssh {
      let (id, socket) = text.splitAtEqualsSign
      guard let path = socket.isEmpty ? ProcessVariables.nonEmpty("SSH_AUTH_SOCK") : socket else {
        throw CommandFailure.usage("--ssh \(id) needs an agent: SSH_AUTH_SOCK is not set")
      }
      inputs.sshSockets[id] = FilePath(path)
    }
    return inputs
  }

  private func secretSource(_ text: String) throws -> (id: String, source: SecretSource) {
    var id: String?
    var file: String?
    var variable: String?
    for field in text.split(separator: ",") {
      let (name, value) = String(field).splitAtEqualsSign
      switch name {
      case "id": id = value
      case "src", "source": file = value
      case "env": variable = value
      case "type": continue
      default: throw CommandFailure.usage("--secret has no field '\(name)'")
      }
    }
    guard let id, !id.isEmpty else {
      throw CommandFailure.usage("--secret wants id=ID and src=FILE or env=NAME, not '\(text)'")
    }
    if let file { return (id, .file(FilePath(file))) }
    if let variable { return (id, .variable(variable)) }
    return ProcessVariables[id] == nil ? (id, .file(FilePath(id))) : (id, .variable(id))
  }

  private func epoch(declared: Int?, _ options: BuildOptions, _ main: FilePath) throws -> Int? {
    let text =
      sourceDateEpoch ?? options.buildArguments["SOURCE_DATE_EPOCH"]
      ?? ProcessVariables.nonEmpty("SOURCE_DATE_EPOCH")
    guard let text, !text.isEmpty else { return declared }
    if text == "git" { return try GitTime.lastCommit(in: main) }
    guard let seconds = Int(text), seconds >= 0 else {
      throw CommandFailure.usage(
        "'\(text)' is no time: a source date epoch is a number of seconds since 1970, or 'git'")
    }
    return seconds
  }

  private static func reference(_ text: String) throws -> String {
    do {
      return "\(try RegistryReference(text))"
    } catch {
      throw CommandFailure(diagnostics: [error], status: 64)
    }
  }

  private func requireDirectory(_ path: String, _ what: String) throws(CommandFailure) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CommandFailure.usage(
        "\(what) '\(path)' cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw CommandFailure.usage("\(what) '\(path)' is not a directory")
    }
  }

  /// Makes what is wrong with an option an error of usage.
  static func usage<Value>(
    _ body: () throws(Diagnostic) -> Value
  ) throws(CommandFailure) -> Value {
    do {
      return try body()
    } catch {
      throw CommandFailure(diagnostics: [error], status: 64)
    }
  }
}

extension GraphOptions {
  /// The ignore file in a named context's own root.
  static func ownIgnorePatterns(_ directory: FilePath) throws -> IgnorePatterns? {
    let file = directory.appending(".dockerignore")
    guard let bytes = try FileContent.readIfPresent(file) else { return nil }
    return try IgnorePatterns(file: bytes, name: ".dockerignore", path: file.string)
  }
}
