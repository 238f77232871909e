import PipelineDSL

/// How an image was made, in the form of SLSA provenance 1.0.
///
/// Secrets appear by their ids only, addresses without credentials; what the environment gives, such
/// as proxies, is left out (threat 22).
struct Provenance: Encodable, Sendable {
  static let predicateType = "https://slsa.dev/provenance/v1"

  struct Dependency: Encodable, Hashable, Sendable {
    var uri: String
    var digest: [String: String]?
  }

  struct Parameters: Encodable, Sendable {
    /// The Dockerfile, or the program that declares the image.
    var source: String?
    var target: String?
    /// Build arguments, less those whose names announce a secret; only in the full form.
    var arguments: [String: String]?
    var secrets: [String]?
  }

  struct Internal: Encodable, Sendable {
    var platform: String
    /// Every step, in words; only in the full form.
    var steps: [String]?
  }

  struct Definition: Encodable, Sendable {
    var buildType = "urn:pipeline:build:1"
    var externalParameters: Parameters
    var internalParameters: Internal
    var resolvedDependencies: [Dependency]
  }

  struct Builder: Encodable, Sendable {
    var id: String
  }

  struct Metadata: Encodable, Sendable {
    var finishedOn: String?
  }

  struct Details: Encodable, Sendable {
    var builder = Builder(id: "urn:pipeline:local")
    var metadata: Metadata?
  }

  var buildDefinition: Definition
  var runDetails: Details

  /// Describes the build of one platform.
  init(
    _ plan: Plan, _ request: BuildRequest, mode: AttestationOptions.Provenance, created: String?
  ) {
    let isFull = mode == .max
    let secrets = plan.operations.flatMap { operation -> [String] in
      guard case .run(let run) = operation.action else { return [] }
      return run.mounts.compactMap { if case .secret(let secret) = $0 { secret.id } else { nil } }
    }
    let source = plan.operations.lazy.compactMap(\.location?.file).first
    let names = Set(secrets).sorted()
    buildDefinition = Definition(
      externalParameters: Parameters(
        source: source, target: request.options.target,
        arguments: isFull ? Self.arguments(request) : nil,
        secrets: isFull && !names.isEmpty ? names : nil),
      internalParameters: Internal(
        platform: "\(plan.image.platform)",
        steps: isFull
          ? plan.operations.map {
            "\(StepText.name($0)) \(RemoteSource.withoutPassword($0.title))"
          } : nil),
      resolvedDependencies: Self.dependencies(plan))
    runDetails = Details(metadata: isFull ? Metadata(finishedOn: created) : nil)
  }

  private static func arguments(_ request: BuildRequest) -> [String: String] {
    request.options.buildArguments
      .filter { !isProxy($0.key) && !SecretName.matches($0.key) }
      .mapValues(RemoteSource.withoutPassword)
  }

  private static func isProxy(_ name: String) -> Bool {
    ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"]
      .contains(name.lowercased())
  }

  private static func dependencies(_ plan: Plan) -> [Dependency] {
    var found: [Dependency] = []
    for operation in plan.operations {
      let dependency: Dependency
      switch operation.action {
      case .image(let image):
        dependency = Dependency(
          uri: PackageURL.docker(
            LockFile.key(ofImage: image.reference),
            platform: PackageURL.escaped("\(image.platform)")),
          digest: ["sha256": image.digest.hex])
      case .fetch(.file(let url, let checksum)):
        dependency = Dependency(
          uri: RemoteSource.withoutPassword(url),
          digest: checksum.flatMap { Digest($0) }.map { ["sha256": $0.hex] })
      case .fetch(.git(let git)):
        dependency = Dependency(
          uri: LockFile.key(of: .git(git)),
          digest: git.namesCommit ? git.reference.map { ["gitCommit": $0] } : nil)
      case .run, .copy, .makeDirectory, .verify: continue
      }
      if !found.contains(dependency) { found.append(dependency) }
    }
    return found
  }
}
