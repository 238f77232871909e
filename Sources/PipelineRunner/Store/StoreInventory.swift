import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// What lies in a store, how large it is and when it was last used.
struct StoreInventory: Sendable {
  struct Item: Sendable {
    var entry: StoreEntry
    var bytes: Int64
    /// Files and directories, of which a file system may hold only so many.
    var files: Int
    /// Seconds since 1970.
    var lastUse: Double
    var created: Double
    /// What a person knows it by.
    var title: String
    /// Whether a named image needs it.
    var isNamed: Bool
  }

  var items: [Item]

  var bytes: Int64 { items.reduce(0) { $0 + $1.bytes } }

  /// Looks at everything; entries that vanish meanwhile are left out.
  init(_ store: Store) throws {
    var named = Set<Digest>()
    var diffIDs = Set<Digest>()
    for image in try store.images() {
      for variant in image.variants {
        named.formUnion(variant.layers.map(\.digest))
        diffIDs.formUnion(variant.configuration.rootfs.diffIDs)
      }
    }
    var blobs: [Digest: Digest] = [:]
    for packed in try store.packs() { blobs[packed.descriptor.digest] = packed.diffID }
    items = try FileWork.compactMap(Self.entries(.layer, in: store, "layers")) { [named] entry in
      guard let info = try store.info(of: LayerID(entry.digest)),
        let mark = Self.status(store.mark(of: entry))
      else { return nil }
      return Item(
        entry: entry, bytes: info.size, files: info.entries + 3,
        lastUse: Self.seconds(mark.st_mtim),
        created: info.created, title: info.title,
        isNamed: named.contains(entry.digest))
    }
    for entry in try Self.entries(.blob, in: store, "blobs") {
      guard let mark = Self.status(store.mark(of: entry)) else { continue }
      let diffID = blobs[entry.digest]
      items.append(
        Item(
          entry: entry, bytes: Int64(mark.st_size), files: 1,
          lastUse: Self.seconds(mark.st_mtim),
          created: Self.seconds(mark.st_ctim),
          title: diffID == nil ? "blob of a base image" : "packed layer",
          isNamed: diffID.map(diffIDs.contains) ?? false))
    }
    for entry in try Self.entries(.cache, in: store, "caches") {
      guard let mark = Self.status(store.mark(of: entry)),
        let usage = try? DirectoryTree.usage(of: store.path(of: entry))
      else { continue }
      items.append(
        Item(
          entry: entry, bytes: usage.bytes, files: usage.entries,
          lastUse: Self.seconds(mark.st_mtim),
          created: Self.seconds(mark.st_ctim), title: "cache mount \(entry.digest.hex.prefix(12))",
          isNamed: false))
    }
  }

  private static func entries(
    _ kind: StoreEntry.Kind, in store: Store, _ folder: String
  ) throws -> [StoreEntry] {
    try DirectoryTree.names(in: store.path.appending(folder)).compactMap { name in
      Digest(hex: name).map { StoreEntry(kind: kind, digest: $0) }
    }
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  private static func seconds(_ time: timespec) -> Double {
    Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
