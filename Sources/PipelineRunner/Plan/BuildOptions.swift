import PipelineDSL
import SystemPackage

/// What the command line adds to a graph.
struct BuildOptions: Sendable {
  /// A stage's name; nil builds the last one.
  var target: String?
  /// In the order given; a later value of a name replaces an earlier one.
  var buildArguments: [String: String] = [:]
  var platform: Platform
  /// The platform of this machine.
  var buildPlatform: Platform
  /// Names of the extra contexts, which win over stages and images.
  var contextNames: Set<String> = []
  /// Labels put on the image after the file's own.
  var labels: [String: String] = [:]
  /// `--network`, for steps that do not say.
  var network: String?
  /// `--allow`: what the user grants, such as `network.host` and `security.insecure`.
  var entitlements: Set<String> = []
  /// Seconds since 1970 that every time in the image is clamped to.
  var sourceDateEpoch: Int?
  /// Lets a bare unknown name in `COPY --from` be an image, as docker does.
  var pullsUnknownNames = false
}

/// Finds base images and tells what they say of themselves, without their layers.
protocol BaseResolver: Sendable {
  /// - Throws: a diagnostic that names the reference and what could provide it.
  func resolve(
    _ reference: String, platform: Platform, at location: SourceLocation?
  ) async throws -> ResolvedImage

  /// The name under which a named context's directory can be read; nil where the name is none.
  func context(named name: String) async throws -> String?
}
