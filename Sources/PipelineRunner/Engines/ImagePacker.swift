import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Makes blobs of an image's layers, each once for each compression: what was packed before is
/// found again, and the blobs of a base image are taken byte for byte.
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

  /// The digests of the layers' tars, in order.
  ///
  /// What has to be packed to find out is packed with the compression given, as it will be wanted;
  /// without one no blob is kept. The layers of a base are not even fetched.
  func diffIDs(of layers: [LayerID], compression: OutputCompression?) async throws -> [Digest] {
    try await forEach(layers) { layer, below in
      if let base = self.solver.bases[layer] { return base.diffID }
      let key = self.key(layer, below, nil)
      if let known = try self.store.diffID(for: key) { return known }
      if let known = self.solver.imported?.diffID(for: key) { return known }
      if let compression { return try await self.pack(layer, below, compression).diffID }
      return try await self.make(layer, below, OutputCompression(kind: .uncompressed), keeps: false)
        .diffID
    }
  }

  /// The blobs of layers, in order.
  func pack(
    _ layers: [LayerID], compression: OutputCompression
  ) async throws -> [PackedLayer] {
    try await forEach(layers) { layer, below in
      try await self.pack(layer, below, compression)
    }
  }

  /// What a manifest says of layers; the blobs of a base stay where they are.
  func describe(
    _ layers: [LayerID], compression: OutputCompression
  ) async throws -> [PackedLayer] {
    try await forEach(layers) { layer, below in
      if let base = self.solver.bases[layer], !compression.changes(base) {
        return PackedLayer(descriptor: base.descriptor, diffID: base.diffID)
      }
      return try await self.pack(layer, below, compression)
    }
  }

  /// The blob of a layer that an image brought along, packed again; nil where that gives another
  /// tar than the one that the layer is called by.
  func tar(named layer: LayerID, _ below: [LayerID]) async throws -> PackedLayer? {
    let packed = try await ImagePacker(store: store, solver: solver, epoch: nil)
      .pack(layer, below, OutputCompression(kind: .zstd))
    return packed.diffID == layer.digest ? packed : nil
  }

  private func forEach<Value: Sendable>(
    _ layers: [LayerID],
    _ body: @escaping @Sendable (LayerID, [LayerID]) async throws -> Value
  ) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
      for (index, layer) in layers.enumerated() {
        group.addTask { (index, try await body(layer, Array(layers[..<index]))) }
      }
      var values: [Int: Value] = [:]
      for try await (index, value) in group { values[index] = value }
      return layers.indices.compactMap { values[$0] }
    }
  }

  private func pack(
    _ layer: LayerID, _ below: [LayerID], _ compression: OutputCompression
  ) async throws -> PackedLayer {
    let store = store
    if let base = solver.bases[layer] {
      guard compression.changes(base) else {
        return try await blocking { try base.packed(in: store) }
      }
      return try await recompress(base, compression)
    }
    let key = key(layer, below, compression)
    if let packed = try store.packed(for: key) { return packed }
    let claim = try await store.claim(key)
    defer { withExtendedLifetime(claim) {} }
    if let packed = try store.packed(for: key) { return packed }
    return try await make(layer, below, compression, keeps: true)
  }

  /// The blob of a base layer with another compression around the same tar.
  private func recompress(
    _ base: BaseLayer, _ compression: OutputCompression
  ) async throws -> PackedLayer {
    let store = store
    var parts = CacheKey("recompress")
    parts.add("tar", "\(base.diffID)")
    parts.add("compression", compression.kind.rawValue)
    parts.add("level", compression.level.map { "\($0)" } ?? "")
    let key = parts.digest
    if let packed = try store.packed(for: key) { return packed }
    let claim = try await store.claim(key)
    defer { withExtendedLifetime(claim) {} }
    if let packed = try store.packed(for: key) { return packed }
    worked.store(true, ordering: .relaxed)
    return try await blocking {
      let original = try base.packed(in: store)
      let workspace = try store.makeWorkspace(below: .empty)
      defer { store.remove(workspace) }
      let blob = try SharedFile(opening: store.blob(original.descriptor.digest))
      let head = try blob.read(at: 0, count: 6)
      let tar = Compression(of: head) == .none ? blob : try ArchiveFilter.expand(blob)
      let file = workspace.path.appending("blob")
      let packed = try LayerBlobWriter.write(tar, compression, to: file)
      guard packed.diffID == base.diffID else {
        throw Diagnostic("a base layer has other content than \(base.diffID)")
      }
      try store.adoptBlob(file, as: packed.descriptor.digest)
      try store.setPacked(packed, for: key)
      return packed
    }
  }

  /// What a layer's blob depends on: which deletions it must name depends on what lies below it.
  func key(
    _ layer: LayerID, _ below: [LayerID], _ compression: OutputCompression?
  ) -> Digest {
    var key = CacheKey("pack")
    key.add("layer", "\(layer.digest)")
    key.add("below", "\(OperationResult.chainDigest(below))")
    key.add("epoch", epoch.map { "\($0)" } ?? "")
    key.add("compression", compression?.kind.rawValue ?? "")
    key.add("level", compression?.level.map { "\($0)" } ?? "")
    return key.digest
  }

  private func make(
    _ layer: LayerID, _ below: [LayerID], _ compression: OutputCompression, keeps: Bool
  ) async throws -> PackedLayer {
    worked.store(true, ordering: .relaxed)
    for needed in below + [layer] { try await solver.bases.ensure(needed) }
    let store = store
    let lowers = RootTree(below.map { store.directory(of: $0) })
    let key = key(layer, below, compression)
    let diffKey = self.key(layer, below, nil)
    let epoch = epoch
    return try await blocking {
      let workspace = try store.makeWorkspace(below: .empty)
      defer { store.remove(workspace) }
      let file = workspace.path.appending("blob")
      let (kind, level) = compression.packing
      let packed = try LayerPacker(empty: store.empty).pack(
        layer: store.directory(of: layer), below: lowers, epoch: epoch, compression: kind,
        level: level, into: file)
      if keeps {
        try store.adoptBlob(file, as: packed.descriptor.digest)
        try store.setPacked(packed, for: key)
      }
      try store.setPacked(packed, for: diffKey)
      return packed
    }
  }
}

extension LayerBlobWriter {
  /// Compresses a whole tar.
  fileprivate static func write(
    _ tar: SharedFile, _ compression: OutputCompression, to file: FilePath
  ) throws -> PackedLayer {
    let raw = file.withPlatformString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    let target = OwnedDescriptor(owning: raw)
    let (kind, level) = compression.packing
    let writer = try LayerBlobWriter(
      to: target.raw, compression: kind, level: level ?? BlockCompressor.defaultLevel(kind))
    // The writer ends a tar by itself with two empty records.
    let ending = try tar.read(at: max(0, tar.size - 1024), count: 1024)
    let isEnded = ending.count == 1024 && ending.allSatisfy { $0 == 0 } && tar.size % 512 == 0
    guard isEnded else {
      throw Diagnostic(
        "a base layer's tar is cut off and cannot be compressed again",
        help: "leave force-compression out")
    }
    let end = tar.size - 1024
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while offset < end {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<Int(min(Int64(buffer.count), end - offset))])
      let count = try tar.read(into: part, at: offset)
      guard count > 0, let start = part.baseAddress else { break }
      try writer.append(UnsafeRawPointer(start), count)
      offset += Int64(count)
    }
    let packed = try writer.finish()
    try target.close()
    return packed
  }
}

extension OutputCompression {
  /// Whether a base layer's blob has to be made again.
  func changes(_ base: BaseLayer) -> Bool {
    guard isForced else { return false }
    let type = base.descriptor.mediaType
    switch kind {
    case .gzip: return !type.hasSuffix("gzip")
    case .zstd: return !type.hasSuffix("zstd")
    case .uncompressed: return type.hasSuffix("gzip") || type.hasSuffix("zstd")
    }
  }

  /// What the packer is told: igzip has four levels, where docker counts nine.
  var packing: (compression: LayerCompression, level: Int?) {
    switch kind {
    case .uncompressed: (.none, nil)
    case .gzip: (.gzip, level.map { $0 == 0 ? 0 : ($0 + 2) / 3 })
    case .zstd: (.zstd, level.map { min(max($0, 1), 19) })
    }
  }
}
