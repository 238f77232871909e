import PipelineDSL
import Synchronization
import SystemPackage

/// Makes blobs of an image's layers, each once: what was packed before is found again, and the
/// blobs of a base image are taken byte for byte.
final class ImagePacker: Sendable {
  private let store: Store
  private let solver: Solver
  private let epoch: Int?
  private let worked = Atomic(false)

  init(store: Store, solver: Solver, epoch: Int?) {
    self.store = store
    self.solver = solver
    self.epoch = epoch
  }

  /// Whether any layer had to be packed.
  var didWork: Bool { worked.load(ordering: .relaxed) }

  /// The blobs of layers, in order.
  func pack(_ layers: [LayerID]) async throws -> [PackedLayer] {
    try await withThrowingTaskGroup(of: (Int, PackedLayer).self) { group in
      for (index, layer) in layers.enumerated() {
        group.addTask {
          (index, try await self.pack(layer, below: Array(layers[..<index])))
        }
      }
      var packed: [Int: PackedLayer] = [:]
      for try await (index, layer) in group { packed[index] = layer }
      return layers.indices.compactMap { packed[$0] }
    }
  }

  private func pack(_ layer: LayerID, below: [LayerID]) async throws -> PackedLayer {
    let store = store
    if let base = solver.bases[layer] {
      return try await blocking { try base.packed(in: store) }
    }
    // Which deletions a layer must name depends on what lies below it.
    var key = CacheKey("pack")
    key.add("layer", "\(layer.digest)")
    key.add("below", "\(OperationResult.chainDigest(below))")
    key.add("epoch", epoch.map { "\($0)" } ?? "")
    key.add("compression", "gzip")
    if let packed = try store.packed(for: key.digest) { return packed }
    let claim = try await store.claim(key.digest)
    defer { withExtendedLifetime(claim) {} }
    if let packed = try store.packed(for: key.digest) { return packed }
    worked.store(true, ordering: .relaxed)
    for lower in below { try await solver.bases.ensure(lower) }
    let lowers = RootTree(below.map { store.directory(of: $0) })
    let digest = key.digest
    let epoch = epoch
    return try await blocking {
      let workspace = try store.makeWorkspace(below: .empty)
      defer { store.remove(workspace) }
      let file = workspace.path.appending("blob")
      let packed = try LayerPacker(empty: store.empty).pack(
        layer: store.directory(of: layer), below: lowers, epoch: epoch, compression: .gzip,
        into: file)
      try store.adoptBlob(file, as: packed.descriptor.digest)
      try store.setPacked(packed, for: digest)
      return packed
    }
  }
}
