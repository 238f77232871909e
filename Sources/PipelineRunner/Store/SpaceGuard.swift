import Synchronization
import SystemPackage

/// Makes room in the store before a file system is full: before each step, not after the build,
/// since one build can fill a disk (threats.md, section 5).
final class SpaceGuard: Sendable {
  /// Below this a step is likely to fail.
  static let minimum = FileSystemSpace(freeBytes: 1 << 30, freeFiles: 20_000)

  private struct State {
    var lastTry: ContinuousClock.Instant?
    var notes: [String] = []
  }

  private let state = Mutex(State())

  /// What was done, for the user; each is told once.
  func takeNotes() -> [String] {
    state.withLock { state in
      defer { state.notes = [] }
      return state.notes
    }
  }

  /// Removes what is longest unused until there is room again.
  ///
  /// Where nothing can be removed the step goes on, and says itself what it lacked.
  func check(_ store: Store) {
    guard let space = FileSystemSpace(at: store.path),
      space.freeBytes < Self.minimum.freeBytes || space.freeFiles < Self.minimum.freeFiles
    else { return }
    let isDue = state.withLock { state in
      if let last = state.lastTry, ContinuousClock.now - last < .seconds(30) { return false }
      state.lastTry = .now
      return true
    }
    guard isDue else { return }
    let policy = PrunePolicy(
      minimumFree: Self.minimum.freeBytes * 2, minimumFreeFiles: Self.minimum.freeFiles * 2)
    guard let result = try? GarbageCollector(store: store).collect(policy) else { return }
    let what =
      result.removed.isEmpty
      ? "nothing could be removed"
      : "removed \(result.removed.count) unused entries (\(SizeText.text(result.freed)))"
    state.withLock {
      $0.notes.append(
        "the disk of the store '\(store.path)' is nearly full: \(what)")
    }
  }
}
