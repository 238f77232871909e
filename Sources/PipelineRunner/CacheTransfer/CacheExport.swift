import PipelineDSL
import SystemPackage

/// Collects what a build knows, and writes it to a place for other machines.
struct CacheExport {
  let store: Store
  let builds: [PlatformBuild]

  /// Adds the steps of the build to a place.
  ///
  /// - Returns: how many steps and layers that were.
  func write(
    to place: any CachePlace, mode: CacheSpecification.Mode
  ) async throws -> (steps: Int, layers: Int) {
    var document = CacheDocument()
    var sources: [LayerID: BaseLayer] = [:]
    for build in builds { try collect(build, mode, &document, &sources) }
    let wanted = Set(document.steps.compactMap(\.record.layer))
    let packed = try await pack(wanted, sources)
    document.layers = packed.map { CacheDocument.Layer(layer: $0.key, packed: $0.value) }
    // A layer that no tar can say takes its steps along.
    document.steps.removeAll { step in step.record.layer.map { packed[$0] == nil } ?? true }
    document = document.merging(CacheDocument())
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let store = store
    let blobs = document.layers.map { layer in
      let source = sources[layer.layer]
      return RegistryPush.Blob(descriptor: layer.packed.descriptor, origin: nil) {
        if let source, !store.hasBlob(layer.packed.descriptor) {
          _ = try await blocking { try source.packed(in: store) }
        }
        return store.blob(layer.packed.descriptor.digest)
      }
    }
    try await place.add(document, blobs: blobs, scratch: workspace.scratch)
    return (document.steps.count, document.layers.count)
  }

  private func collect(
    _ build: PlatformBuild, _ mode: CacheSpecification.Mode, _ document: inout CacheDocument,
    _ sources: inout [LayerID: BaseLayer]
  ) throws {
    let solver = build.solver
    let image = solver.layers(of: build.plan.image.root)
    for operation in build.plan.operations {
      guard let result = solver[operation.id], let layer = result.own,
        mode == .max || image.contains(layer)
      else { continue }
      for key in Set(result.keys) {
        guard let record = try store.record(for: key) else { continue }
        document.steps.append(CacheDocument.Step(key: key, record: record))
      }
      if try store.info(of: layer) == nil { sources[layer] = solver.imported?[layer] }
    }
    for (index, layer) in image.enumerated() where solver.bases[layer] == nil {
      let key = build.packer.key(layer, Array(image[..<index]), nil)
      if let packed = try store.packDescription(for: key) {
        document.packs.append(CacheDocument.Pack(key: key, packed: packed))
      }
    }
  }

  /// Packs layers exactly; those that are still elsewhere are there as they are.
  private func pack(
    _ layers: Set<LayerID>, _ sources: [LayerID: BaseLayer]
  ) async throws -> [LayerID: PackedLayer] {
    try await withThrowingTaskGroup(of: (LayerID, PackedLayer?).self) { group in
      for layer in layers {
        group.addTask {
          if let source = sources[layer] {
            return (layer, PackedLayer(descriptor: source.descriptor, diffID: source.diffID))
          }
          return (layer, try await pack(layer))
        }
      }
      var packed: [LayerID: PackedLayer] = [:]
      for try await (layer, result) in group { packed[layer] = result }
      return packed
    }
  }

  private func pack(_ layer: LayerID) async throws -> PackedLayer? {
    var key = CacheKey("exact pack")
    key.add("layer", "\(layer.digest)")
    let digest = key.digest
    if let packed = try store.packed(for: digest) { return packed }
    let store = store
    return try await blocking {
      let workspace = try store.makeWorkspace(below: .empty)
      defer { store.remove(workspace) }
      let file = workspace.path.appending("blob")
      guard
        let packed = try LayerPacker(empty: store.empty).packExactly(
          layer: store.directory(of: layer), into: file)
      else { return nil }
      try store.adoptBlob(file, as: packed.descriptor.digest)
      try store.setPacked(packed, for: digest)
      return packed
    }
  }
}
