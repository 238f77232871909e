import PipelineDSL

/// What other machines did, as one build sees it: records at once, layers only when one is needed.
final class ImportedCache: Sendable {
  private let records: [Digest: Record]
  private let layers: [LayerID: BaseLayer]
  private let diffIDs: [Digest: Digest]
  private let mounts: [Digest: BaseLayer]
  /// Images that tell of the steps that made them.
  let images: [ResolvedImage]

  /// Reads caches, the first of them first in case of doubt.
  ///
  /// A source that cannot be read is told and left out: a build without it is slower, not wrong.
  init(
    _ sources: [(name: String, place: any CachePlace)], platforms: [Platform] = [.current],
    epoch: Int? = nil, warnings: inout [Diagnostic]
  ) throws {
    var images: [ResolvedImage] = []
    var mounts: [Digest: BaseLayer] = [:]
    var packs: [Digest: Digest] = [:]
    var records: [Digest: Record] = [:]
    var layers: [LayerID: BaseLayer] = [:]
    for (name, place) in sources {
      do {
        switch try place.read(for: platforms) {
        case nil:
          warnings.append(Diagnostic("there is no cache at '\(name)' yet", severity: .warning))
        case .document(let document, let blobs):
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
          for mount in document.mounts ?? [] where mounts[mount.identity] == nil {
            mounts[mount.identity] = BaseLayer(
              diffID: mount.packed.diffID, descriptor: mount.packed.descriptor, blobs: blobs)
          }
        case .images(let found):
          for image in found {
            let ids = image.layers.map { LayerID($0.diffID) }
            let told = image.cache?.records(layers: ids, epoch: epoch) ?? [:]
            if told.isEmpty, image.cache?.steps.isEmpty == false {
              warnings.append(Self.otherEpoch(name, image.cache?.epoch))
              continue
            }
            records.merge(told) { first, _ in first }
            for (id, layer) in zip(ids, image.layers) where layers[id] == nil {
              layers[id] = layer
            }
            images.append(image)
          }
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
    self.images = images
    self.mounts = mounts
    diffIDs = packs
  }

  private static func otherEpoch(_ name: String, _ epoch: Int?) -> Diagnostic {
    Diagnostic(
      "the cache in the image '\(name)' is not used: its times end at \(epoch ?? 0), the source date epoch it was built with",
      severity: .warning,
      help: "build with the same --source-date-epoch, or write the cache with type=registry")
  }

  func record(for key: Digest) -> Record? { records[key] }

  /// What a layer's tar is known to be elsewhere, by the packer's key.
  ///
  /// Not written to the store: who builds without the import finds out by packing.
  func diffID(for key: Digest) -> Digest? { diffIDs[key] }

  /// The layer as it can be had from where it was imported.
  subscript(layer: LayerID) -> BaseLayer? { layers[layer] }

  /// What a cache mount held where it was written, by its identity.
  func mount(_ identity: Digest) -> BaseLayer? { mounts[identity] }

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
      // One that is called by its tar's digest was held against it as it was unpacked.
      if source.diffID == layer.digest { return try store.replace(layer, with: workspace) }
      guard content.id == layer else {
        throw Diagnostic(
          "the imported cache holds other content for the layer \(layer.digest) than it says",
          help: "build without --cache-from, or write that cache again")
      }
      try store.adopt(workspace, as: content)
    }
  }
}
