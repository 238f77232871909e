import FoundationEssentials

/// What an image tells of the steps that made its layers, in a field of its own in the config.
///
/// It holds digests alone: the parts of a key name build arguments, which an image that is shown
/// around must not tell. A layer is named by its place in the image, so that an image which was
/// copied, or compressed anew, still serves.
struct InlineCache: Codable, Hashable, Sendable {
  struct Step: Codable, Hashable, Sendable {
    var keys: [Digest]
    /// The layer's place among the diff ids.
    var layer: Int
    /// What keys of later steps call the layer.
    var content: LayerID
    /// Seconds since 1970.
    var created: Int
  }

  /// Raised when an older program would misread it.
  var version = 1
  /// The time that later times in the layers were clamped to.
  var epoch: Int?
  var steps: [Step]

  static let field = "vnd.pipeline.cache.v1"
  /// Nobody's image has more layers, and every key costs room in every build that reads it.
  private static let mostSteps = 4096

  init(epoch: Int?, steps: [Step]) {
    self.epoch = epoch
    self.steps = steps
  }

  /// Reads the field of a config; nil where there is none that can be read.
  init?(inConfiguration bytes: [UInt8]) {
    struct Document: Decodable {
      var cache: InlineCache?

      enum CodingKeys: String, CodingKey {
        case cache = "vnd.pipeline.cache.v1"
      }
    }
    guard String(decoding: bytes, as: UTF8.self).contains(Self.field),
      let found = try? JSONDecoder().decode(Document.self, from: Data(bytes)).cache,
      found.version == 1, found.steps.count <= Self.mostSteps
    else { return nil }
    self = found
  }

  /// The records of an image's steps, by key, as a build with an epoch may use them.
  func records(layers: [LayerID], epoch wanted: Int?) -> [Digest: Record] {
    var records: [Digest: Record] = [:]
    for step in steps where layers.indices.contains(step.layer) {
      let record = Record(
        layer: layers[step.layer], created: step.created, seconds: 0, parts: [],
        content: step.content, epoch: epoch)
      guard record.isUsable(withEpoch: wanted) else { continue }
      for (index, key) in step.keys.enumerated() {
        var own = record
        if index == 0, step.keys.count > 1 { own.exact = step.keys[1] }
        records[key] = own
      }
    }
    return records
  }
}

extension ImageConfiguration {
  /// The config's bytes, with what is known of the steps that made the image.
  func encoded(with cache: InlineCache?) throws -> [UInt8] {
    struct Document: Encodable {
      var configuration: ImageConfiguration
      var cache: InlineCache?

      enum CodingKeys: String, CodingKey {
        case cache = "vnd.pipeline.cache.v1"
      }

      func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(cache, forKey: .cache)
      }
    }
    return try CanonicalJSON.encode(Document(configuration: self, cache: cache))
  }
}

extension PlatformBuild {
  /// What the image is to tell of its steps; the diff ids are those of its layers.
  ///
  /// Equal builds tell the same, whether or not the cache served them: an image's digest depends
  /// on it.
  func inlineCache(epoch: Int?) throws -> InlineCache {
    let image = solver.layers(of: plan.image.root)
    var steps: [InlineCache.Step] = []
    for operation in plan.operations {
      guard let result = solver[operation.id], result.own != nil, let quick = result.keys.first,
        let name = result.names.last,
        result.layers.elementsEqual(image.prefix(result.layers.count)),
        let record = try solver.store.record(for: quick)
      else { continue }
      var keys = [quick]
      if let exact = record.exact {
        // A quick key names stages, which another machine has to make first: it then finds the
        // step by content, which is the same for more of their results.
        keys = solver.readsImagesAlone(operation) ? [quick, exact] : [exact]
      }
      steps.append(
        InlineCache.Step(
          keys: keys, layer: result.layers.count - 1, content: name,
          created: epoch ?? record.created))
    }
    return InlineCache(
      epoch: epoch,
      steps: steps.sorted { ($0.layer, $0.keys[0]) < ($1.layer, $1.keys[0]) })
  }
}

extension Solver {
  /// Whether all that a step reads from other trees is from images as they came.
  fileprivate func readsImagesAlone(_ operation: Operation) -> Bool {
    operation.readTrees.allSatisfy { _, tree in
      layers(of: tree).allSatisfy { bases.isOfBase($0) }
    }
  }
}
