/// The `application/vnd.oci.image.config.v1+json` document with Docker's extensions.
///
/// Field names are those of the OCI image specification, config.md.
struct ImageConfiguration: Codable, Hashable, Sendable {
  var created: String?
  var author: String?
  var architecture: String
  var variant: String?
  var os: String
  var osVersion: String?
  var config: Execution?
  var rootfs: RootFileSystem
  var history: [History]?

  enum CodingKeys: String, CodingKey {
    case created
    case author
    case architecture
    case variant
    case os
    case osVersion = "os.version"
    case config
    case rootfs
    case history
  }

  struct RootFileSystem: Codable, Hashable, Sendable {
    var type = "layers"
    var diffIDs: [Digest]

    enum CodingKeys: String, CodingKey {
      case type
      case diffIDs = "diff_ids"
    }
  }

  struct History: Codable, Hashable, Sendable {
    var created: String?
    var createdBy: String?
    var author: String?
    var comment: String?
    var emptyLayer: Bool?

    enum CodingKeys: String, CodingKey {
      case created
      case createdBy = "created_by"
      case author
      case comment
      case emptyLayer = "empty_layer"
    }
  }

  /// An empty JSON object, the value of a set's members in Go's encoding.
  struct Empty: Codable, Hashable, Sendable {}

  /// What a container started from the image runs with.
  struct Execution: Codable, Hashable, Sendable {
    var user: String?
    var exposedPorts: [String: Empty]?
    var environment: [String]?
    var entrypoint: [String]?
    var command: [String]?
    var volumes: [String: Empty]?
    var workingDirectory: String?
    var labels: [String: String]?
    var stopSignal: String?
    var argsEscaped: Bool?
    var healthcheck: Healthcheck?
    var onBuild: [String]?
    var shell: [String]?

    enum CodingKeys: String, CodingKey {
      case user = "User"
      case exposedPorts = "ExposedPorts"
      case environment = "Env"
      case entrypoint = "Entrypoint"
      case command = "Cmd"
      case volumes = "Volumes"
      case workingDirectory = "WorkingDir"
      case labels = "Labels"
      case stopSignal = "StopSignal"
      case argsEscaped = "ArgsEscaped"
      case healthcheck = "Healthcheck"
      case onBuild = "OnBuild"
      case shell = "Shell"
    }
  }

  /// Durations are nanoseconds.
  struct Healthcheck: Codable, Hashable, Sendable {
    var test: [String]?
    var interval: Int64?
    var timeout: Int64?
    var startPeriod: Int64?
    var startInterval: Int64?
    var retries: Int?

    enum CodingKeys: String, CodingKey {
      case test = "Test"
      case interval = "Interval"
      case timeout = "Timeout"
      case startPeriod = "StartPeriod"
      case startInterval = "StartInterval"
      case retries = "Retries"
    }
  }
}
