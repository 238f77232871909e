import Synchronization

/// What steps leave of their workspaces, removed while the next ones run.
///
/// Removing a directory can wait for the disk: a file system that is mounted with `discard` tells
/// it of every block that is free again.
final class Leftovers: Sendable {
  private let store: Store
  private let tasks = Mutex<[Task<Void, Never>]>([])

  init(_ store: Store) { self.store = store }

  /// Starts to remove a workspace.
  func remove(_ workspace: Workspace) {
    let store = store
    let task = Task.detached {
      // Not cancelled with the build: what it made is removed all the same.
      _ = try? await blocking { store.remove(workspace) }
    }
    tasks.withLock { $0.append(task) }
  }

  /// Waits until everything is gone.
  func wait() async {
    let tasks = tasks.withLock { tasks in
      defer { tasks = [] }
      return tasks
    }
    for task in tasks { await task.value }
  }
}
