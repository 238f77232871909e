import PipelineDSL
import SystemPackage

/// Collects what a build knows, and writes it to a place for other machines.
struct CacheExport {
  let store: Store
  let builds: [PlatformBuild]
  /// Which cache mounts go along.
  var mounts: CacheSpecification.Mounts = .none

  /// What was written.
  struct Result: Sendable {
    var steps: Int
    var layers: Int
    var mounts: Int
    /// What could not be.
    var warnings: [Diagnostic]

    var text: String {
      let mounts =
        mounts == 0 ? "" : " and \(mounts) cache \(mounts == 1 ? "mount" : "mounts")"
      return "\(steps) steps\(mounts.isEmpty ? " and" : ",") \(layers) layers\(mounts)"
    }
  }

  /// Steps, and where layers can be had that are not packed from the store's own trees.
  private struct Collection {
    var document = CacheDocument()
    var sources: [LayerID: BaseLayer] = [:]
    /// Layers that came in an image: which build has them, and over what.
    var ofImages: [LayerID: (build: PlatformBuild, below: [LayerID])] = [:]
  }

  /// Adds the steps of the build to a place.
  func write(to place: any CachePlace, mode: CacheSpecification.Mode) async throws -> Result {
    var found = Collection()
    for build in builds { try collect(build, mode, &found) }
    var document = found.document
    let sources = found.sources
    let packed = try await pack(Set(document.steps.compactMap(\.record.layer)), found)
    document.layers = packed.map { CacheDocument.Layer(layer: $0.key, packed: $0.value) }
    // A layer that no tar can say takes its steps along.
    document.steps.removeAll { step in step.record.layer.map { packed[$0] == nil } ?? true }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    let (trees, warnings) = try await MountExport(
      store: store, mounts: mounts, scratch: workspace.scratch
    ).run(builds)
    document.mounts = trees.map(\.mount)
    document = document.merging(CacheDocument())
    let store = store
    var blobs = document.layers.map { layer in
      let source = sources[layer.layer]
      return RegistryPush.Blob(descriptor: layer.packed.descriptor, origin: nil) {
        if let source, !store.hasBlob(layer.packed.descriptor) {
          _ = try await blocking { try source.packed(in: store) }
        }
        return store.blob(layer.packed.descriptor.digest)
      }
    }
    blobs += trees.map { tree in
      RegistryPush.Blob(descriptor: tree.mount.packed.descriptor, origin: nil) { tree.file }
    }
    try await place.add(document, blobs: blobs, scratch: workspace.scratch)
    return Result(
      steps: document.steps.count, layers: document.layers.count, mounts: trees.count,
      warnings: warnings)
  }

  private func collect(
    _ build: PlatformBuild, _ mode: CacheSpecification.Mode, _ found: inout Collection
  ) throws {
    let solver = build.solver
    let image = solver.layers(of: build.plan.image.root)
    for operation in build.plan.operations {
      guard let result = solver[operation.id], let layer = result.own,
        mode == .max || image.contains(layer)
      else { continue }
      for key in Set(result.keys) {
        guard let record = try store.record(for: key) else { continue }
        found.document.steps.append(CacheDocument.Step(key: key, record: record))
      }
      let info = try store.info(of: layer)
      if info == nil || info?.isBase == true { found.sources[layer] = solver.imported?[layer] }
      if info?.isBase == true { found.ofImages[layer] = (build, result.layers.dropLast()) }
    }
    for (index, layer) in image.enumerated() where solver.bases[layer] == nil {
      let key = build.packer.key(layer, Array(image[..<index]), nil)
      if let packed = try store.packDescription(for: key) {
        found.document.packs.append(CacheDocument.Pack(key: key, packed: packed))
      }
    }
  }

  /// Packs layers exactly; those that are still elsewhere are there as they are.
  private func pack(
    _ layers: Set<LayerID>, _ found: Collection
  ) async throws -> [LayerID: PackedLayer] {
    try await withThrowingTaskGroup(of: (LayerID, PackedLayer?).self) { group in
      for layer in layers {
        let (source, origin) = (found.sources[layer], found.ofImages[layer])
        group.addTask {
          if let source {
            return (layer, PackedLayer(descriptor: source.descriptor, diffID: source.diffID))
          }
          if let origin {
            return (layer, try await origin.build.packer.tar(named: layer, origin.below))
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
