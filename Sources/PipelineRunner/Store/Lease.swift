import Glibc
import Synchronization
import SystemPackage

/// What one process uses of the store, so that a garbage collector leaves it alone (threat 33).
///
/// It is a file with a line for each entry, locked as long as the process lives. A line is written
/// before the process looks whether the entry is there, and a collector reads the lines and removes
/// in one go: each waits for the other at the store's gate, so that what is found stays.
final class Lease: Sendable {
  private let path: FilePath
  private let gate: FilePath
  private let lock: FileLock
  private let file: OwnedDescriptor
  /// When the process began, which is when all it uses counts as used: a parent and its children
  /// then have the same time.
  let start: timespec
  private let held = Mutex<Set<StoreEntry>>([])

  /// Makes a lease that holds nothing yet.
  init(in folder: FilePath, gate: FilePath) throws(SystemError) {
    path = folder.appending(Store.uniqueName())
    self.gate = gate
    lock = try FileLock.hold(path)
    let raw = path.withPlatformString { open($0, O_WRONLY | O_APPEND | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    file = OwnedDescriptor(owning: raw)
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    start = now
  }

  deinit {
    _ = path.withPlatformString { unlink($0) }
  }

  /// Keeps an entry from being removed; true where it was not kept before.
  func hold(_ entry: StoreEntry) throws(SystemError) -> Bool {
    // Two tasks that hold one entry both wait: the second must not go on before the line is there.
    try held.withLock { held throws(SystemError) in
      guard !held.contains(entry) else { return false }
      let shared = try FileLock.acquire(gate, .shared)
      defer { withExtendedLifetime(shared) {} }
      let line = Array("\(entry)\n".utf8)
      let written = write(file.raw, line, line.count)
      guard written == line.count else {
        throw SystemError("write", path: path.bytes, code: written < 0 ? errno : ENOSPC)
      }
      held.insert(entry)
      return true
    }
  }

  /// Everything that living processes hold; call with the gate locked.
  static func entries(in folder: FilePath) throws -> (entries: Set<StoreEntry>, holders: Int) {
    var entries = Set<StoreEntry>()
    var holders = 0
    for name in try DirectoryTree.names(in: folder) {
      let file = folder.appending(name)
      guard FileLock.isHeld(file), let bytes = try FileContent.readIfPresent(file) else {
        continue
      }
      holders += 1
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        if let entry = StoreEntry(line: line) { entries.insert(entry) }
      }
    }
    return (entries, holders)
  }
}
