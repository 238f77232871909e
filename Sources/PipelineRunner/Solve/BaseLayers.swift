import SystemPackage

/// The layers of base images, unpacked into the store when a step first needs them.
struct BaseLayers: Sendable {
  private let store: Store
  private let layers: [LayerID: BaseLayer]

  init(store: Store, images: [ResolvedImage]) {
    self.store = store
    var layers: [LayerID: BaseLayer] = [:]
    for image in images {
      for layer in image.layers { layers[LayerID(layer.diffID)] = layer }
    }
    self.layers = layers
  }

  subscript(layer: LayerID) -> BaseLayer? { layers[layer] }

  /// Unpacks a base layer that is not in the store; other layers are left alone.
  func ensure(_ layer: LayerID) async throws {
    guard let base = layers[layer], try !store.isUsable(layer) else { return }
    let claim = try await store.claim(layer.digest)
    defer { withExtendedLifetime(claim) {} }
    let store = store
    try await blocking {
      try store.addLayer(layer) { try base.unpack(into: $0, store: store) }
    }
  }
}
