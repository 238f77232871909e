import SystemPackage

/// The layers of base images and of imported caches, unpacked into the store when a step first needs them.
struct BaseLayers: Sendable {
  private let store: Store
  private let layers: [LayerID: BaseLayer]
  /// What lies under a layer in its image, top first.
  private let below: [LayerID: [LayerID]]
  /// Layers of images that serve as caches, whose times are not those that this build gives.
  private let otherTimes: Set<LayerID>
  private let ofBases: Set<LayerID>

  /// Which image a layer is of.
  private let images: [LayerID: OperationID]
  private let imported: ImportedCache?
  private let meter: FetchMeter

  init(
    store: Store, images bases: [OperationID: ResolvedImage], imported: ImportedCache? = nil,
    epoch: Int? = nil, progress: any ProgressRenderer
  ) {
    self.store = store
    self.imported = imported
    meter = FetchMeter(progress)
    let ofBases = Set(bases.values.flatMap { $0.layers.map { LayerID($0.diffID) } })
    self.ofBases = ofBases
    let caches = imported?.images ?? []
    otherTimes = Set(
      caches.filter { epoch != nil && $0.cache?.epoch != epoch }
        .flatMap { $0.layers.map { LayerID($0.diffID) } }
    ).subtracting(ofBases)
    var layers: [LayerID: BaseLayer] = [:]
    var below: [LayerID: [LayerID]] = [:]
    var images: [LayerID: OperationID] = [:]
    // The bases come last: their layers are where the user said they are.
    let sorted = bases.sorted { $0.key.index < $1.key.index }
    let all = caches.map { (nil as OperationID?, $0) } + sorted.map { ($0.key, $0.value) }
    for (operation, image) in all {
      var under: [LayerID] = []
      for layer in image.layers {
        let id = LayerID(layer.diffID)
        layers[id] = layer
        if images[id] == nil { images[id] = operation }
        below[id] = under
        under.insert(id, at: 0)
      }
    }
    self.layers = layers
    self.below = below
    self.images = images
  }

  /// The layer of a base image, or of one that serves as a cache, to be taken as it is.
  subscript(layer: LayerID) -> BaseLayer? {
    otherTimes.contains(layer) ? nil : layers[layer]
  }

  /// Whether the layer is one of a base image.
  func isOfBase(_ layer: LayerID) -> Bool { ofBases.contains(layer) }

  /// Unpacks those of some layers that are of base images and not in the store, all at once.
  func ensure(_ wanted: [LayerID]) async throws {
    let missing = try wanted.filter { layer in
      try (layers[layer] != nil || imported?[layer] != nil) && !store.verify(layer)
    }
    if missing.count < 2 {
      for layer in missing { try await ensure(layer) }
      return
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for layer in Set(missing) { group.addTask { try await ensure(layer) } }
      try await group.waitForAll()
    }
  }

  /// Unpacks a base layer that is not in the store; other layers are left alone.
  func ensure(_ layer: LayerID) async throws {
    guard let base = layers[layer] else {
      if let imported { try await imported.ensure(layer, in: store) }
      return
    }
    guard try !store.verify(layer) else { return }
    let claim = try await store.claim(layer.digest)
    defer { withExtendedLifetime(claim) {} }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let (store, meter, image) = (store, meter, images[layer])
    if let image { meter.begin(base.descriptor.size, of: image) }
    var isDone = false
    defer { if let image { meter.end(image, isDone: isDone) } }
    let implied = try await blocking {
      try base.unpack(into: workspace.upper, store: store) { count in
        if let image { meter.add(count, to: image) }
      }
    }
    if !implied.isEmpty {
      let under = below[layer] ?? []
      for lower in under { try await ensure(lower) }
      let directories = under.map { store.directory(of: $0) }
      try await blocking {
        try BaseLayer.inherit(implied, in: workspace.upper, from: directories)
      }
    }
    try await blocking { try store.replace(layer, with: workspace) }
    isDone = true
  }
}
