import Glibc
import PipelineDSL

/// Walks one selected directory, in the order of names, and leaves out what rules exclude.
///
/// A directory that a rule excludes can still hold something that an exception brings back (I3), and
/// a directory on the way to a `--parents` match is not itself matched: both are told to the visitor
/// only when something in them is.
struct SourceWalk {
  /// Deeper trees than this are refused: each level keeps descriptors open and uses the stack.
  static let deepest = 1000

  private struct Frame {
    var entry: SourceEntry
    var isEntered: Bool
  }

  let root: SourceRoot
  let excludes: IgnorePatterns?
  let pattern: ParentsPattern?
  /// The path from the context's top, for its ignore rules.
  var contextPath: [UInt8] = []

  private var relativePath: [UInt8] = []
  private var frames: [Frame] = []

  init(root: SourceRoot, excludes: IgnorePatterns?, pattern: ParentsPattern?) {
    self.root = root
    self.excludes = excludes.flatMap { $0.isEmpty ? nil : $0 }
    self.pattern = pattern
  }

  /// Gives everything below a directory to the visitor.
  mutating func run(
    _ directory: borrowing OwnedDescriptor, _ visitor: some SourceVisitor
  ) throws {
    try walk(
      Self.list(directory.raw), state: pattern?.start ?? ParentsPattern.everything,
      depth: 0, visitor)
  }

  /// Whether anything in a directory would be given to a visitor.
  func findsAnything(in directory: borrowing OwnedDescriptor) throws -> Bool {
    var copy = self
    do {
      try copy.run(directory, FirstFound())
      return false
    } catch is Found {
      return true
    }
  }

  /// Whether ignore rules leave anything of a file or directory at ``contextPath``.
  func keeps(_ found: borrowing OwnedDescriptor) throws -> Bool {
    guard let ignore = root.ignore, !contextPath.isEmpty, ignore.excludes(contextPath) else {
      return true
    }
    guard ignore.mayExcept(below: contextPath),
      try TreeAccess.status(of: found.raw).st_mode & S_IFMT == S_IFDIR
    else { return false }
    return try findsAnything(in: found)
  }

  /// Lists a directory through a descriptor that may be an O_PATH one.
  static func list(_ directory: CInt) throws(SystemError) -> DirectoryListing {
    let descriptor = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open") }
    return try DirectoryListing(owning: descriptor)
  }

  private mutating func walk(
    _ listing: DirectoryListing, state: UInt64, depth: Int, _ visitor: some SourceVisitor
  ) throws {
    guard depth < Self.deepest else {
      throw Diagnostic("directories are nested more than \(Self.deepest) deep")
    }
    if let only = pattern?.onlyName(state) {
      return try TreeAccess.withTerminated(only) { name in
        try visit(name, listing, state: state, depth: depth, isOptional: true, visitor)
      }
    }
    for index in 0..<listing.count {
      try visit(
        listing.name(index), listing, state: state, depth: depth, isOptional: false, visitor)
    }
  }

  private mutating func visit(
    _ name: UnsafePointer<CChar>, _ listing: DirectoryListing, state: UInt64, depth: Int,
    isOptional: Bool, _ visitor: some SourceVisitor
  ) throws {
    var state = state
    var isExcluded = false
    var hasExceptions = false
    let lengths = (contextPath.count, relativePath.count)
    if root.ignore != nil || excludes != nil || state != ParentsPattern.everything {
      let bytes = UnsafeBufferPointer(
        start: UnsafeRawPointer(name).assumingMemoryBound(to: UInt8.self), count: strlen(name))
      if let pattern {
        state = pattern.next(state, bytes)
        if state == 0 { return }
      }
      if let ignore = root.ignore {
        contextPath = PathBytes.appending(contextPath, bytes)
        if ignore.excludes(contextPath) {
          isExcluded = true
          hasExceptions = ignore.mayExcept(below: contextPath)
        }
      }
      if let excludes {
        relativePath = PathBytes.appending(relativePath, bytes)
        if excludes.excludes(relativePath) {
          hasExceptions =
            excludes.mayExcept(below: relativePath) && (!isExcluded || hasExceptions)
          isExcluded = true
        }
      }
    }
    defer {
      contextPath.removeLast(contextPath.count - lengths.0)
      relativePath.removeLast(relativePath.count - lengths.1)
    }
    if isExcluded && !hasExceptions { return }
    // A name that did not come from the listing is not kept alive by it either.
    var entry = SourceEntry(
      directory: listing.raw, name: name, status: stat(), listing: isOptional ? nil : listing)
    let code =
      root.isContext
      ? fstatat(listing.raw, name, &entry.status, AT_SYMLINK_NOFOLLOW)
      : FileRecord.status(of: name, in: listing.raw, &entry.status)
    guard code == 0 else {
      if isOptional && errno == ENOENT { return }
      if errno == ENOENT { throw SourceChanged(name: entry.nameBytes) }
      throw SystemError("fstatat", path: entry.nameBytes)
    }
    let isSelected = !isExcluded && state == ParentsPattern.everything
    guard entry.isDirectory else {
      if isSelected {
        try enterAll(visitor)
        try visitor.add(entry)
      }
      return
    }
    let descriptor = openat(
      listing.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", path: entry.nameBytes) }
    frames.append(Frame(entry: entry, isEntered: false))
    if isSelected { try enterAll(visitor) }
    try walk(DirectoryListing(owning: descriptor), state: state, depth: depth + 1, visitor)
    if frames.removeLast().isEntered { try visitor.leave() }
  }

  /// Tells the visitor about the directories that lead to something selected.
  private mutating func enterAll(_ visitor: some SourceVisitor) throws {
    guard let last = frames.last, !last.isEntered else { return }
    for index in frames.indices where !frames[index].isEntered {
      frames[index].isEntered = true
      try visitor.enter(frames[index].entry)
    }
  }

  private struct Found: Error {}

  /// Stops a walk at the first thing that it would take.
  private final class FirstFound: SourceVisitor {
    func begin(_ item: SourceItem) throws {}
    func enter(_ directory: SourceEntry) throws { throw Found() }
    func leave() throws {}
    func add(_ entry: SourceEntry) throws { throw Found() }
    func end() throws {}
  }
}
