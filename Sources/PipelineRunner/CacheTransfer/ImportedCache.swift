import PipelineDSL

/// What other machines did, as one build sees it: records at once, layers only when one is needed.
final class ImportedCache: Sendable {
  private let records: [Digest: Record]
  private let layers: [LayerID: BaseLayer]
  private let diffIDs: [Digest: Digest]

  /// Reads caches, the first of them first in case of doubt.
  ///
  /// A source that cannot be read is told and left out: a build without it is slower, not wrong.
  init(
    _ sources: [(name: String, place: any CachePlace)], warnings: inout [Diagnostic]
  ) throws {
    var packs: [Digest: Digest] = [:]
    var records: [Digest: Record] = [:]
    var layers: [LayerID: BaseLayer] = [:]
    for (name, place) in sources {
      do {
        guard let (document, blobs) = try place.read() else {
          warnings.append(Diagnostic("there is no cache at '\(name)' yet", severity: .warning))
          continue
        }
        for step in document.steps where records[step.key] == nil {
          records[step.key] = step.record
        }
        for layer in document.layers where layers[layer.layer] == nil {
          layers[layer.layer] = BaseLayer(
            diffID: layer.packed.diffID, descriptor: layer.packed.descriptor, blobs: blobs)
        }
        for pack in document.packs where packs[pack.key] == nil {
          packs[pack.key] = pack.packed.diffID
        }
      } catch {
        if error is CancellationError { throw error }
        let place = "the cache '\(name)' cannot be read"
        var warning =
          error as? Diagnostic ?? (error as? SystemError)?.diagnostic(place)
          ?? Diagnostic(place)
        warning.severity = .warning
        warning.notes.append(.init("the build goes on without the cache '\(name)'"))
        warnings.append(warning)
      }
    }
    self.records = records
    self.layers = layers
    diffIDs = packs
  }

  func record(for key: Digest) -> Record? { records[key] }

  /// What a layer's tar is known to be elsewhere, by the packer's key.
  ///
  /// Not written to the store: who builds without the import finds out by packing.
  func diffID(for key: Digest) -> Digest? { diffIDs[key] }

  /// The layer as it can be had from where it was imported.
  subscript(layer: LayerID) -> BaseLayer? { layers[layer] }

  /// Unpacks a layer that is not in the store, and believes it only when its content is what it is
  /// called by.
  func ensure(_ layer: LayerID, in store: Store) async throws {
    guard let source = layers[layer], try !store.verify(layer) else { return }
    let claim = try await store.claim(layer.digest)
    defer { withExtendedLifetime(claim) {} }
    if try store.verify(layer) { return }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    try await blocking {
      _ = try source.unpack(into: workspace.upper)
      let content = try LayerContent(of: workspace.upper)
      guard content.id == layer else {
        throw Diagnostic(
          "the imported cache holds other content for the layer \(layer.digest) than it says",
          help: "build without --cache-from, or write that cache again")
      }
      try store.adopt(workspace, as: content)
    }
  }
}
