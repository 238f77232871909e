import Glibc
import PipelineDSL
import SystemPackage

/// Holds everything in a store against its digest, and takes out what does not fit: it is made
/// again when a build next needs it.
struct StoreCheck {
  struct Result: Sendable {
    var layers = 0
    var blobs = 0
    var bytes: Int64 = 0
    /// What was wrong, and what was done about it.
    var repairs: [String] = []
    /// Named images that have to be built again.
    var brokenImages: [String] = []

    var isSound: Bool { repairs.isEmpty && brokenImages.isEmpty }
  }

  let store: Store

  func run() throws -> Result {
    var result = Result()
    for digest in try digests(in: "blobs") { try checkBlob(digest, &result) }
    for digest in try digests(in: "layers") { try checkLayer(LayerID(digest), &result) }
    // Only what cannot be read goes: a key without a record is a miss.
    try store.removeRecords(before: .infinity) { _ in false }
    for image in try store.images() {
      for layer in image.variants.flatMap(\.layers) where try store.info(of: layer) == nil {
        result.brokenImages.append(image.name)
        break
      }
    }
    return result
  }

  private func digests(in folder: String) throws -> [Digest] {
    try DirectoryTree.names(in: store.path.appending(folder)).sorted().compactMap {
      Digest(hex: $0)
    }
  }

  private func checkBlob(_ digest: Digest, _ result: inout Result) throws {
    guard store.hasBlob(digest) else { return }
    let slice = try FileSlice(opening: store.blob(digest))
    let found = try slice.reader().digest()
    result.blobs += 1
    result.bytes += slice.size
    guard found != digest else { return }
    try takeOut(.blob(digest))
    result.repairs.append("blob \(digest) had other bytes (\(found)): removed")
  }

  private func checkLayer(_ layer: LayerID, _ result: inout Result) throws {
    try store.hold(.layer(layer))
    guard let info = try store.info(of: layer) else {
      try takeOut(.layer(layer))
      result.repairs.append("layer \(layer.digest) had no description: removed")
      return
    }
    result.layers += 1
    result.bytes += info.size
    let directory = store.directory(of: layer)
    let usage = try DirectoryTree.usage(of: directory)
    var problem: String?
    if usage.bytes != info.size || usage.entries != info.entries {
      problem =
        "held \(usage.entries) entries with \(usage.bytes) bytes instead of \(info.entries) with \(info.size)"
    } else if !info.isBase, try LayerContent.id(of: directory) != layer {
      // The name of a base's layer is the digest of its tar, which unpacking has checked.
      problem = "had other content"
    }
    guard let problem else { return }
    try takeOut(.layer(layer))
    result.repairs.append("layer \(layer.digest) \(problem): removed")
  }

  /// Nobody else may be at work: what they have found would vanish under them.
  private func takeOut(_ entry: StoreEntry) throws {
    let gate = try FileLock.acquire(store.path.appending("gate"), .exclusive)
    defer { withExtendedLifetime(gate) {} }
    if let trash = try store.moveToTrash(entry) { Store.delete(trash) }
  }
}
