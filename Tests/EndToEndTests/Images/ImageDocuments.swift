/// The parts of an image's config that tests look at.
struct ImageConfig: Decodable {
  struct Process: Decodable {
    var variables: [String]?
    var command: [String]?
    var entrypoint: [String]?
    var workingDirectory: String?
    var user: String?
    var ports: [String: Nothing]?
    var volumes: [String: Nothing]?
    var labels: [String: String]?
    var stopSignal: String?
    var healthcheck: Check?
    var shell: [String]?
    var triggers: [String]?
    var argumentsEscaped: Bool?

    private enum CodingKeys: String, CodingKey {
      case variables = "Env"
      case command = "Cmd"
      case entrypoint = "Entrypoint"
      case workingDirectory = "WorkingDir"
      case user = "User"
      case ports = "ExposedPorts"
      case volumes = "Volumes"
      case labels = "Labels"
      case stopSignal = "StopSignal"
      case healthcheck = "Healthcheck"
      case shell = "Shell"
      case triggers = "OnBuild"
      case argumentsEscaped = "ArgsEscaped"
    }
  }

  /// Durations are in nanoseconds.
  struct Check: Decodable {
    var test: [String]?
    var interval: Int?
    var timeout: Int?
    var startPeriod: Int?
    var startInterval: Int?
    var retries: Int?

    private enum CodingKeys: String, CodingKey {
      case test = "Test"
      case interval = "Interval"
      case timeout = "Timeout"
      case startPeriod = "StartPeriod"
      case startInterval = "StartInterval"
      case retries = "Retries"
    }
  }

  struct History: Decodable {
    var created: String?
    var createdBy: String?
    var comment: String?
    var emptyLayer: Bool?

    private enum CodingKeys: String, CodingKey {
      case created
      case createdBy = "created_by"
      case comment
      case emptyLayer = "empty_layer"
    }
  }

  struct RootFileSystem: Decodable {
    var type: String
    /// Digests of the layers before compression; null for none.
    var diffIDs: [String]?

    private enum CodingKeys: String, CodingKey {
      case type
      case diffIDs = "diff_ids"
    }
  }

  struct Nothing: Decodable {}

  var created: String?
  var author: String?
  var architecture: String
  var variant: String?
  var os: String
  var config: Process?
  var rootfs: RootFileSystem
  var history: [History]?
}

/// A reference to a blob.
struct ImageDescriptor: Decodable {
  struct Platform: Decodable {
    var os: String
    var architecture: String
  }

  var mediaType: String?
  var digest: String
  var size: Int
  var annotations: [String: String]?
  var platform: Platform?
}

/// An index or a manifest: whichever of the fields are there.
struct ImageManifestDocument: Decodable {
  var schemaVersion: Int
  var mediaType: String?
  var manifests: [ImageDescriptor]?
  var config: ImageDescriptor?
  var layers: [ImageDescriptor]?
}

/// An entry of `manifest.json` in what `docker save` writes.
struct DockerArchiveEntry: Decodable {
  var config: String
  var tags: [String]?
  var layers: [String]

  private enum CodingKeys: String, CodingKey {
    case config = "Config"
    case tags = "RepoTags"
    case layers = "Layers"
  }
}
