import Glibc
import PipelineDSL
import SystemPackage

/// Builds on BuildKit, wherever one of docker buildx's builders runs it: the graph goes there as the
/// Dockerfile that it prints as.
///
/// BuildKit reads contexts and secrets through docker's client, as for any Dockerfile; nothing of it
/// passes through the store.
struct BuildxEngine: Sendable {
  /// A builder's name, as `docker buildx ls` lists it.
  var builder: String
  var request: BuildRequest
  /// The text of the build.
  var dockerfile: String
  /// The ignore file that goes with the Dockerfile; nil where the context's own counts.
  var ignoreFile: [UInt8]?
  /// The main context.
  var context: FilePath
  /// Further options, in docker's spelling.
  var options: [String]

  /// Runs the build to its end.
  ///
  /// - Throws: a diagnostic where docker is not there or the build fails; it has said why by then.
  func build() async throws {
    for warning in request.warnings { Terminal.report([warning]) }
    try requireBuildx()
    let place = ProcessVariables.nonEmpty("TMPDIR") ?? "/tmp"
    var template = Array("\(place)/pipeline-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw SystemError("mkdtemp").diagnostic("the Dockerfile cannot be handed over")
    }
    let folder = FilePath(bytes: template.dropLast().map { UInt8(bitPattern: $0) })
    defer { try? DirectoryTree.remove(folder) }
    let file = folder.appending("Dockerfile")
    try FileContent.write(file, Array(dockerfile.utf8))
    if let ignoreFile {
      try FileContent.write(folder.appending("Dockerfile.dockerignore"), ignoreFile)
    }
    let arguments = try arguments(file: file)
    let status = try await blocking { try ChildProcess.follow(["docker"] + arguments) }
    try Task.checkCancellation()
    guard status == 0 else {
      throw Diagnostic(
        "the builder '\(builder)' did not make the image: docker ended with status \(status)",
        help: "what it printed stands above; 'dockerfile' prints the lines that it counts")
    }
  }

  /// What docker is called with.
  ///
  /// - Throws: a diagnostic for what a builder cannot do.
  func arguments(file: FilePath) throws(Diagnostic) -> [String] {
    var arguments = ["buildx", "build", "--builder", builder, "--file", file.string]
    for tag in request.tags { arguments += ["--tag", tag] }
    if let epoch = request.options.sourceDateEpoch {
      arguments += ["--build-arg", "SOURCE_DATE_EPOCH=\(epoch)"]
    }
    for (name, reference) in try pins() {
      arguments += ["--build-context", "\(name)=docker-image://\(reference)"]
    }
    return arguments + options + [context.string]
  }

  /// The locked base images, each as the context that replaces it.
  private func pins() throws(Diagnostic) -> [(name: String, reference: String)] {
    guard let lock = request.lock.content else { return [] }
    let path = request.lock.path
    guard lock.downloads.isEmpty, lock.commits.isEmpty else {
      throw Diagnostic(
        "'\(path)' pins what ADD fetches, which a builder is not told",
        help: "give --checksum or the commit in the ADD, or build here, without --builder")
    }
    var pins: [(String, String)] = []
    for (key, digests) in lock.images.sorted(by: { $0.key < $1.key }) {
      let wanted = Set(request.platforms.compactMap { digests["\($0)"] })
      guard wanted.count < 2 else {
        throw Diagnostic(
          "'\(path)' pins '\(key)' for each platform, and a builder takes one image for all",
          help: "build one --platform at a time, or here, without --builder")
      }
      let reference = try RegistryReference(key)
      let name = reference.familiarName
      guard let digest = wanted.first, !request.contexts.provides(key) else { continue }
      pins.append((name, "\(reference.registry)/\(reference.repository)@\(digest)"))
    }
    return pins
  }

  private func requireBuildx() throws {
    let status: CInt
    do {
      status = try ChildProcess.run(["docker", "buildx", "version"]).status
    } catch {
      guard error.code == ENOENT else { throw error.diagnostic("'docker' cannot be started") }
      throw Diagnostic(
        "--builder needs the program 'docker', which is not there",
        help: "install docker's client and its buildx plugin, or build here, without --builder")
    }
    guard status == 0 else {
      throw Diagnostic(
        "--builder needs docker's buildx plugin, which does not answer",
        help: "install it (docker-buildx or docker-buildx-plugin), or build without --builder")
    }
  }
}
