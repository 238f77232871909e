import Glibc
import PipelineDSL
import SystemPackage

/// What may be removed from a store, and how much.
struct PrunePolicy: Hashable, Sendable {
  /// Also cache mounts, blobs of named images and what is kept for explanations.
  var isAll = false
  /// Only what was last used longer ago than this, in seconds.
  var unusedFor: Double?
  /// Stop once the store has at most this many bytes.
  var maximumUsed: Int64?
  /// Stop once the file system has at least this many free bytes.
  var minimumFree: Int64?
  /// Stop once the file system can take at least this many more files.
  var minimumFreeFiles: Int64?

  /// Whether the policy stops at a limit instead of removing all it may.
  var hasLimit: Bool { maximumUsed != nil || minimumFree != nil || minimumFreeFiles != nil }
}

/// Removes what nobody uses, longest unused first (threats.md, section 5).
///
/// Layers of named images stay, and so does all that a living process holds. Cache mounts go last.
struct GarbageCollector {
  struct Removal: Sendable {
    var item: StoreInventory.Item
    var why: String
  }

  struct Result: Sendable {
    var removed: [Removal] = []
    /// Bytes of what is left, and how much of it named images and processes keep.
    var left: Int64 = 0
    var leftInUse: Int64 = 0
    var holders = 0

    var freed: Int64 { removed.reduce(0) { $0 + $1.item.bytes } }
  }

  let store: Store
  /// Seconds since 1970.
  var now = Double(Glibc.time(nil))
  /// The room on the store's file system.
  var space: FileSystemSpace

  init(store: Store) {
    self.store = store
    space = FileSystemSpace(at: store.path) ?? FileSystemSpace(freeBytes: .max, freeFiles: .max)
  }

  /// Removes what the policy says.
  func collect(_ policy: PrunePolicy) throws -> Result {
    let inventory = try StoreInventory(store)
    var result = Result()
    var used = inventory.bytes
    let candidates = inventory.items.filter { isCandidate($0, policy) }.sorted(by: Self.isBefore)
    // What is deleted shows as free only later; count it by ourselves.
    var free = space
    var victims: [StoreInventory.Item] = []
    for item in candidates {
      if policy.hasLimit {
        let fits = policy.maximumUsed.map { used <= $0 } ?? true
        let hasRoom = policy.minimumFree.map { free.freeBytes >= $0 } ?? true
        let hasFiles = policy.minimumFreeFiles.map { free.freeFiles >= $0 } ?? true
        if fits && hasRoom && hasFiles { break }
      }
      victims.append(item)
      used -= item.bytes
      free.freeBytes += item.bytes
      free.freeFiles += Int64(item.files)
    }
    let (removed, protected, holders) = try remove(victims)
    result.removed = removed.map { Removal(item: $0, why: why($0)) }
    result.holders = holders
    let gone = Set(removed.map(\.entry))
    for item in inventory.items where !gone.contains(item.entry) {
      result.left += item.bytes
      if item.isNamed || protected.contains(item.entry) { result.leftInUse += item.bytes }
    }
    if !policy.hasLimit { try removeLooseRecords(policy) }
    return result
  }

  private func isCandidate(_ item: StoreInventory.Item, _ policy: PrunePolicy) -> Bool {
    if item.isNamed, item.entry.kind == .layer || !policy.isAll { return false }
    if item.entry.kind == .cache, !policy.isAll, !policy.hasLimit { return false }
    if let age = policy.unusedFor, item.lastUse > now - age { return false }
    return true
  }

  /// Cache mounts last; then by last use; of what one build used, children before what they lie on,
  /// since they were made later.
  private static func isBefore(
    _ left: StoreInventory.Item, _ right: StoreInventory.Item
  ) -> Bool {
    let (leftIsCache, rightIsCache) = (left.entry.kind == .cache, right.entry.kind == .cache)
    if leftIsCache != rightIsCache { return rightIsCache }
    if left.lastUse != right.lastUse { return left.lastUse < right.lastUse }
    if left.created != right.created { return left.created > right.created }
    return left.entry.digest < right.entry.digest
  }

  /// How many entries are taken out in one go: builds wait for that long, and a collector that is
  /// killed leaves no more trash to the next build.
  private static let batch = 500

  /// Takes entries out that nobody holds; alone at the gate, so that nobody begins to use one.
  ///
  /// Deleting is done when others may pass it again.
  private func remove(
    _ items: [StoreInventory.Item]
  ) throws -> (removed: [StoreInventory.Item], held: Set<StoreEntry>, holders: Int) {
    var removed: [StoreInventory.Item] = []
    var held: Set<StoreEntry> = []
    var holders = 0
    for start in stride(from: 0, through: items.count, by: Self.batch) {
      var trash: [String] = []
      do {
        let gate = try FileLock.acquire(store.path.appending("gate"), .exclusive)
        defer { withExtendedLifetime(gate) {} }
        (held, holders) = try Lease.entries(in: store.path.appending("leases"))
        for item in items[start..<min(start + Self.batch, items.count)]
        where !held.contains(item.entry) {
          guard let path = try store.moveToTrash(item.entry) else { continue }
          trash.append(path)
          removed.append(item)
        }
      }
      try FileWork.forEach(trash) { Store.delete($0) }
    }
    return (removed, held, holders)
  }

  /// Removes records whose layer is gone.
  ///
  /// They explain later misses, so they are kept for two weeks unless everything is to go.
  private func removeLooseRecords(_ policy: PrunePolicy) throws {
    let limit = policy.isAll ? now : now - 14 * 86400
    try store.removeRecords(before: limit) { record in
      guard let layer = record.layer else { return false }
      return try store.info(of: layer) == nil
    }
    if policy.isAll { try store.removeLoosePacks() }
  }

  private func why(_ item: StoreInventory.Item) -> String {
    "not used for \(Self.age(now - item.lastUse))"
  }

  /// A time span in its largest unit: `3 days`.
  static func age(_ seconds: Double) -> String {
    let seconds = max(0, Int(seconds))
    for (unit, length) in [("day", 86400), ("hour", 3600), ("minute", 60)]
    where seconds >= length {
      let count = seconds / length
      return "\(count) \(unit)\(count == 1 ? "" : "s")"
    }
    return "\(seconds) second\(seconds == 1 ? "" : "s")"
  }
}
