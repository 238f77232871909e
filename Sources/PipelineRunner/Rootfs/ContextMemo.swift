import CISAL
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Digests of files by device, inode, size and times, so that an unchanged context is not read
/// again (cache.md K8).
///
/// Deleting the file changes no result. The file is the table itself, so that a build which finds
/// everything in it does not pay for reading it into anything else.
final class ContextMemo: Sendable {
  private let file: FilePath
  private let table: Mutex<MemoTable>

  /// Opens a memo; a file that is missing, damaged or of another format counts as empty.
  init(at file: FilePath) throws {
    self.file = file
    table = Mutex(MemoTable(try FileContent.readIfPresent(file) ?? []))
  }

  /// The time that a scan's entries must be older than to be remembered.
  struct Scan: Sendable {
    fileprivate let start: Int64

    /// Starts a scan now, by the clock that the kernel takes times of files from: a finer one could
    /// be ahead of it, and a file written after it was read would seem unchanged.
    init() {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME_COARSE, &time)
      start = MemoKey.nanoseconds(time)
    }

    /// A scan that started at another time.
    init(start time: timespec) { start = MemoKey.nanoseconds(time) }
  }

  /// What a file came to when it was read in this state; nil where that is not known.
  func value(of status: stat) -> FileValue? {
    let key = MemoKey(status)
    return table.withLock { $0[key] }
  }

  /// Remembers what a file came to.
  ///
  /// A file that changed when the scan had begun could change again within the same tick of the
  /// clock, so it is not remembered.
  func remember(_ value: FileValue, of status: stat, _ scan: Scan) {
    let key = MemoKey(status)
    // File systems without fractions of seconds count in steps of up to two.
    let isCoarse = key.modified % 1_000_000_000 == 0 && key.changed % 1_000_000_000 == 0
    let margin: Int64 = isCoarse ? 2_000_000_000 : 0
    guard max(key.modified, key.changed) < scan.start - margin else { return }
    table.withLock { $0[key] = value }
  }

  /// Whether a file can be read as a memo, or is not there.
  static func isSound(at file: FilePath) throws -> Bool {
    guard let bytes = try FileContent.readIfPresent(file) else { return true }
    return MemoTable.isTable(bytes)
  }

  /// Writes what was learned, whole or not at all.
  func save() throws {
    let bytes = table.withLock { $0.changedBytes() }
    guard let bytes else { return }
    do {
      try FileContent.replace(file, with: bytes)
    } catch {
      throw error.diagnostic("the digests of the context cannot be kept")
    }
  }
}

/// The state of a file that decides whether its bytes may be taken as unchanged.
struct MemoKey {
  var inode: UInt64
  var device: UInt64
  var size: Int64
  var modified: Int64
  var changed: Int64
  var mode: UInt32

  init(_ status: stat) {
    inode = UInt64(status.st_ino)
    device = UInt64(status.st_dev)
    size = Int64(status.st_size)
    modified = Self.nanoseconds(status.st_mtim)
    changed = Self.nanoseconds(status.st_ctim)
    mode = UInt32(status.st_mode)
  }

  static func nanoseconds(_ time: timespec) -> Int64 {
    Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// A hash table in one block of memory, at most half full.
///
/// ```
/// 0  magic    8 slot count   16 used slots   24 CRC of the slots
/// 32 slots of 96 bytes: inode, device, size, modified, changed, mode, flags, digest
/// ```
struct MemoTable: ~Copyable {
  private static let magic: UInt64 = 0x3120_6F6D_656D_7070
  private static let headerSize = 32
  private static let slotSize = 96
  private static let used: UInt32 = 1
  private static let hasAttributes: UInt32 = 2
  /// Beyond this many files the memo starts again: files that are gone are never taken out.
  private static let mostSlots = 1 << 21

  private var memory: UnsafeMutableRawPointer
  private var slots: Int
  private var count: Int
  private var isChanged = false

  /// Takes the bytes of a file; those of anything else make an empty table.
  init(_ bytes: [UInt8]) {
    if let loaded = Self.load(bytes) {
      (memory, slots, count) = loaded
    } else {
      slots = 1024
      count = 0
      memory = Self.allocate(slots)
    }
  }

  deinit { memory.deallocate() }

  /// Whether the bytes are those of a table.
  static func isTable(_ bytes: [UInt8]) -> Bool {
    guard let (memory, _, _) = load(bytes) else { return false }
    memory.deallocate()
    return true
  }

  private static func load(_ bytes: [UInt8]) -> (UnsafeMutableRawPointer, Int, Int)? {
    bytes.withUnsafeBytes { bytes -> (UnsafeMutableRawPointer, Int, Int)? in
      guard let start = bytes.baseAddress, bytes.count > headerSize,
        start.load(as: UInt64.self) == magic
      else { return nil }
      let slots = start.load(fromByteOffset: 8, as: Int.self)
      let count = start.load(fromByteOffset: 16, as: Int.self)
      guard slots >= 1024, slots <= mostSlots, slots.nonzeroBitCount == 1, count >= 0,
        count <= slots / 2, bytes.count == headerSize + slots * slotSize,
        start.load(fromByteOffset: 24, as: UInt64.self) == checksum(start, slots)
      else { return nil }
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 16)
      memcpy(memory, start, bytes.count)
      return (memory, slots, count)
    }
  }

  private static func allocate(_ slots: Int) -> UnsafeMutableRawPointer {
    let size = headerSize + slots * slotSize
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    memset(memory, 0, size)
    return memory
  }

  private static func checksum(_ start: UnsafeRawPointer, _ slots: Int) -> UInt64 {
    let bytes = (start + headerSize).assumingMemoryBound(to: UInt8.self)
    return UInt64(crc32_gzip_refl(0, bytes, UInt64(slots * slotSize)))
  }

  /// The slot of an inode, or the free one where it would go.
  private func slot(_ inode: UInt64, _ device: UInt64) -> UnsafeMutableRawPointer {
    var hash = (inode &+ device &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    hash ^= hash >> 32
    var index = Int(truncatingIfNeeded: hash) & (slots - 1)
    while true {
      let slot = memory + Self.headerSize + index * Self.slotSize
      if slot.load(fromByteOffset: 44, as: UInt32.self) & Self.used == 0
        || (slot.load(as: UInt64.self) == inode
          && slot.load(fromByteOffset: 8, as: UInt64.self) == device)
      {
        return slot
      }
      index = (index + 1) & (slots - 1)
    }
  }

  subscript(key: MemoKey) -> FileValue? {
    get {
      let slot = slot(key.inode, key.device)
      let flags = slot.load(fromByteOffset: 44, as: UInt32.self)
      guard flags & Self.used != 0, slot.load(fromByteOffset: 16, as: Int64.self) == key.size,
        slot.load(fromByteOffset: 24, as: Int64.self) == key.modified,
        slot.load(fromByteOffset: 32, as: Int64.self) == key.changed,
        slot.load(fromByteOffset: 40, as: UInt32.self) == key.mode
      else { return nil }
      var value = FileValue(hasAttributes: flags & Self.hasAttributes != 0)
      value.withDigestBytes { memcpy($0, slot + 48, HashContext.digestSize) }
      return value
    }
    set {
      guard var value = newValue else { return }
      isChanged = true
      if count * 2 >= slots { grow() }
      let slot = slot(key.inode, key.device)
      if slot.load(fromByteOffset: 44, as: UInt32.self) & Self.used == 0 { count += 1 }
      slot.storeBytes(of: key.inode, as: UInt64.self)
      slot.storeBytes(of: key.device, toByteOffset: 8, as: UInt64.self)
      slot.storeBytes(of: key.size, toByteOffset: 16, as: Int64.self)
      slot.storeBytes(of: key.modified, toByteOffset: 24, as: Int64.self)
      slot.storeBytes(of: key.changed, toByteOffset: 32, as: Int64.self)
      slot.storeBytes(of: key.mode, toByteOffset: 40, as: UInt32.self)
      let flags = Self.used | (value.hasAttributes ? Self.hasAttributes : 0)
      slot.storeBytes(of: flags, toByteOffset: 44, as: UInt32.self)
      value.withDigestBytes { _ = memcpy(slot + 48, $0, HashContext.digestSize) }
    }
  }

  private mutating func grow() {
    let (old, oldSlots) = (memory, slots)
    let isTooLarge = slots * 2 > Self.mostSlots
    if !isTooLarge { slots *= 2 }
    memory = Self.allocate(slots)
    count = 0
    if !isTooLarge {
      for index in 0..<oldSlots {
        let from = old + Self.headerSize + index * Self.slotSize
        guard from.load(fromByteOffset: 44, as: UInt32.self) & Self.used != 0 else { continue }
        let target = slot(
          from.load(as: UInt64.self), from.load(fromByteOffset: 8, as: UInt64.self))
        memcpy(target, from, Self.slotSize)
        count += 1
      }
    }
    old.deallocate()
  }

  /// The whole table as a file's bytes; nil where nothing was learned since the last time.
  mutating func changedBytes() -> [UInt8]? {
    guard isChanged else { return nil }
    isChanged = false
    memory.storeBytes(of: Self.magic, as: UInt64.self)
    memory.storeBytes(of: slots, toByteOffset: 8, as: Int.self)
    memory.storeBytes(of: count, toByteOffset: 16, as: Int.self)
    memory.storeBytes(of: Self.checksum(memory, slots), toByteOffset: 24, as: UInt64.self)
    let size = Self.headerSize + slots * Self.slotSize
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      if let start = buffer.baseAddress { memcpy(start, memory, size) }
      count = size
    }
  }
}
