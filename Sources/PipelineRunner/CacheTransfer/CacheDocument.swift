/// What one machine tells others of its cache: which keys led to which layers, and where the bytes
/// of those are.
///
/// Layers are named by the digest of their content, which is looked at when one is unpacked: who
/// imports a cache trusts its source for what a step results in, and for nothing else.
struct CacheDocument: Codable, Hashable, Sendable {
  struct Step: Codable, Hashable, Sendable {
    var key: Digest
    var record: Record
  }

  /// A layer as it lies in a store, all of it, in a tar.
  struct Layer: Codable, Hashable, Sendable {
    var layer: LayerID
    var packed: PackedLayer
  }

  /// What a layer is in an image; with it a config is known without any layer.
  struct Pack: Codable, Hashable, Sendable {
    var key: Digest
    var packed: PackedLayer
  }

  /// What a cache mount held when it was written, all of it, in a tar.
  struct Mount: Codable, Hashable, Sendable {
    /// What a store knows the mount by.
    var identity: Digest
    /// What steps call it.
    var id: String
    var platform: String
    var packed: PackedLayer
  }

  /// Raised when an older program would misread a document.
  var version = CacheDocument.currentVersion
  var steps: [Step] = []
  var layers: [Layer] = []
  var packs: [Pack] = []
  /// Nil where none was ever written.
  var mounts: [Mount]?

  static let currentVersion = 1
  static let mediaType = "application/vnd.pipeline.cache.config.v1+json"
  /// More steps than this are not kept: the oldest go.
  static let limit = 10_000

  /// Everything of both; where both know a key, this one.
  func merging(_ other: CacheDocument) -> CacheDocument {
    var result = CacheDocument()
    var keys = Set<Digest>()
    let all = (steps + other.steps).filter { keys.insert($0.key).inserted }
    result.steps = Array(
      all.sorted { ($1.record.created, $0.key) < ($0.record.created, $1.key) }
        .prefix(Self.limit))
    let wanted = Set(result.steps.compactMap(\.record.layer))
    var known = Set<LayerID>()
    result.layers = (layers + other.layers).filter { layer in
      wanted.contains(layer.layer) && known.insert(layer.layer).inserted
    }.sorted { $0.layer.digest < $1.layer.digest }
    var packKeys = Set<Digest>()
    result.packs = Array(
      (packs + other.packs).filter { packKeys.insert($0.key).inserted }.prefix(Self.limit)
    ).sorted { $0.key < $1.key }
    var identities = Set<Digest>()
    let mounts = ((mounts ?? []) + (other.mounts ?? [])).filter {
      identities.insert($0.identity).inserted
    }.sorted { $0.identity < $1.identity }
    result.mounts = mounts.isEmpty ? nil : mounts
    return result
  }

  /// Whether everything of another document is in this one; of a cache mount whatever somebody
  /// wrote last.
  func contains(_ other: CacheDocument) -> Bool {
    let keys = Set(steps.map(\.key))
    let present = Set(layers.map(\.layer))
    let identities = Set((mounts ?? []).map(\.identity))
    // Of a full document the oldest go, also those just written.
    let isFull = steps.count >= Self.limit
    return (isFull || other.steps.allSatisfy { keys.contains($0.key) })
      && (isFull || other.layers.allSatisfy { present.contains($0.layer) })
      && (other.mounts ?? []).allSatisfy { identities.contains($0.identity) }
  }

  /// The document and the manifest that holds it and names its layers.
  func bundle() throws -> (documents: [ImageBundle.Document], manifest: ImageManifest) {
    let config = ImageBundle.Document(try CanonicalJSON.encode(self), Self.mediaType)
    let manifest = ImageManifest(
      config: config.descriptor,
      layers: layers.map(\.packed.descriptor) + (mounts ?? []).map(\.packed.descriptor))
    return (
      [config, try ImageBundle.Document(encoding: manifest, MediaType.ociManifest)], manifest
    )
  }
}
