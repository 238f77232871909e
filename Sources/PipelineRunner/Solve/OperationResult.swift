/// What an operation left behind.
struct OperationResult: Sendable {
  /// Every layer of the root it ends with, bottom first.
  var layers: [LayerID]
  /// What keys call these layers, in the same order; see ``Record/content``.
  var names: [LayerID]
  /// The layer of its own, where it made one.
  var own: LayerID?
  /// When that layer was made, in seconds since 1970.
  var created: Int?
  var status: OperationStatus
  /// How long it took, without what it waited for.
  var seconds: Double
  /// The keys under which the store knows it, the quick one first.
  var keys: [Digest]

  init(
    layers: [LayerID], names: [LayerID]? = nil, own: LayerID?, created: Int?,
    status: OperationStatus, seconds: Double, keys: [Digest] = []
  ) {
    self.layers = layers
    self.names = names ?? layers
    self.own = own
    self.created = created
    self.status = status
    self.seconds = seconds
    self.keys = keys
  }

  /// The digest that stands for a whole root in keys.
  static func chainDigest(_ layers: [LayerID]) -> Digest {
    let hasher = SHA256Hasher()
    for layer in layers { hasher.update(Array(layer.digest.hex.utf8)) }
    return hasher.finalize()
  }
}
