import Glibc

extension SourceSelection {
  /// The status of the directory that the first operand names; nil where it names none.
  func directoryStatus() throws -> stat? {
    let first = FirstItem()
    do {
      try visit(first)
    } catch is FirstItem.Found {
      return first.status
    }
    return nil
  }
}

/// Stops a selection at its first item.
private final class FirstItem: SourceVisitor {
  struct Found: Error {}

  private(set) var status: stat?

  func begin(_ item: SourceItem) throws {
    if case .directory(let entry) = item.content {
      status = entry.status
      // What comes from a context belongs to root (C5).
      if item.isContext {
        status?.st_uid = 0
        status?.st_gid = 0
      }
    }
    throw Found()
  }

  func enter(_ directory: SourceEntry) throws {}
  func leave() throws {}
  func add(_ entry: SourceEntry) throws {}
  func end() throws {}
}
