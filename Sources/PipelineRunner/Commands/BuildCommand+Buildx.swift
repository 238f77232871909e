import ArgumentParser
import PipelineDSL
import SystemPackage

extension BuildCommand {
  /// The build on a builder of docker's.
  ///
  /// - Throws: an error of usage for options that only this machine's engine has.
  func buildx(_ builder: String, _ request: BuildRequest) throws -> BuildxEngine {
    let local: [(String, Bool)] = [
      ("--fail-on-miss", failOnMiss), ("--on-failure", onFailure != .stop),
      ("--memory", flags.limits.memory != nil), ("--pids-limit", flags.limits.pidsLimit != nil),
      ("--cpus", flags.limits.cpus != nil), ("--locked", flags.locked),
      ("--pull-unknown-names", flags.pullUnknownNames),
      ("cache-mounts=", request.exportedCaches.contains { $0.mounts != .none }),
    ]
    if let option = local.first(where: { $0.1 }) {
      throw CommandFailure.usage("\(option.0) is not possible with --builder")
    }
    let image = try flags.graph.load(context: flags.context)
    let text: String
    do {
      text = try DockerfilePrinter.print(image.graph)
    } catch {
      throw CommandFailure.badInput([error])
    }
    let main = FilePath(flags.context ?? image.contextDirectory)
    return BuildxEngine(
      builder: builder, request: request, dockerfile: text,
      ignoreFile: try flags.graph.ownIgnoreFile(), context: main,
      options: contextOptions(image, main) + buildOptions(image) + outputOptions(image))
  }

  private func contextOptions(_ image: DeclaredImage, _ main: FilePath) -> [String] {
    let declared = image.contexts.sorted { $0.key < $1.key }.map { name, source in
      "\(name)=" + (source.contains("://") ? source : main.pushing(FilePath(source)).string)
    }
    return Self.repeated("--build-context", declared + flags.buildContext)
  }

  /// Options that say what is built, as they were given.
  private func buildOptions(_ image: DeclaredImage) -> [String] {
    let platforms = flags.platform.isEmpty ? image.platforms.map { "\($0)" } : flags.platform
    return Self.repeated("--target", flags.target)
      + Self.repeated("--build-arg", flags.buildArg)
      + Self.repeated("--secret", flags.secret)
      + Self.repeated("--ssh", flags.ssh)
      + Self.repeated("--network", flags.network)
      + Self.repeated("--allow", flags.allow)
      + Self.repeated("--label", flags.label)
      + Self.repeated("--platform", platforms.isEmpty ? nil : platforms.joined(separator: ","))
      + (flags.noCache ? ["--no-cache"] : [])
  }

  /// Options that say what becomes of it.
  private func outputOptions(_ image: DeclaredImage) -> [String] {
    let annotations = image.annotations.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let provenance = provenance.map { $0 == "min" || $0 == "max" ? "mode=\($0)" : $0 }
    return Self.repeated("--output", output)
      + (push ? ["--push"] : [])
      + Self.repeated("--cache-from", cacheFrom)
      + Self.repeated("--cache-to", cacheTo)
      + Self.repeated("--annotation", annotations + annotation)
      + ((sbomValue ?? (sbom ? "true" : nil)).map { ["--sbom=\($0)"] } ?? [])
      + Self.repeated("--provenance", provenance)
      + Self.repeated("--iidfile", iidfile)
      + Self.repeated("--metadata-file", metadataFile)
      + ["--progress", progress == .json ? "rawjson" : progress.rawValue]
  }

  private static func repeated(_ option: String, _ values: [String]) -> [String] {
    values.flatMap { [option, $0] }
  }

  private static func repeated(_ option: String, _ value: String?) -> [String] {
    value.map { [option, $0] } ?? []
  }
}
