import Glibc
import PipelineDSL
import SystemPackage

/// What one operand of a copy, or one match of its wildcard, comes to.
struct SourceItem {
  enum Content {
    /// A directory whose content follows, entry by entry.
    case directory(SourceEntry)
    /// Anything else that lies in a tree.
    case entry(SourceEntry)
    case inline([UInt8])
    case download(SourceEntry, modified: Int?)
  }

  var content: Content
  /// The name that it has below a destination directory: a link's own, not its target's (C1).
  var name: [UInt8]
  /// The path below the wildcard's directory; nil where the operand held no wildcard.
  var matched: [UInt8]?
  /// From the build context: owners are 0:0 and file capabilities do not travel (C5).
  var isContext: Bool
  /// Whether other operands or matches go to the same destination (X2).
  var isOneOfSeveral: Bool
}

/// Takes what a selection finds, in an order that depends on names alone.
protocol SourceVisitor: AnyObject {
  /// An operand or match starts. Where it is a directory, what it holds follows.
  func begin(_ item: SourceItem) throws
  /// A directory that something was selected in, or that was selected itself.
  func enter(_ directory: SourceEntry) throws
  func leave() throws
  /// Anything that is not a directory.
  func add(_ entry: SourceEntry) throws
  func end() throws
}

/// The files that a copy names: wildcards, ignore rules, `--parents` and `--exclude` applied.
///
/// The copier and the digest are both visitors of it, so that a key cannot cover anything else than
/// what a copy takes.
final class SourceSelection {
  let request: CopyRequest
  private let empty: FilePath
  private var opened: SourceRoot?

  /// Selects what a request names; `empty` is a directory with nothing in it.
  init(_ request: CopyRequest, empty: FilePath) {
    self.request = request
    self.empty = empty
  }

  /// Finds everything and gives it to the visitor.
  func visit(_ visitor: some SourceVisitor) throws {
    for source in request.sources {
      switch source {
      case .context(let tree, let path): try visit(path, in: root(of: tree), visitor)
      case .tree(let tree, let path): try visit(path, in: root(of: tree), visitor)
      case .inline(let name, let content):
        try visitor.begin(
          SourceItem(
            content: .inline(content), name: name, isContext: true,
            isOneOfSeveral: request.sources.count > 1))
        try visitor.end()
      case .download(let file, let name, let modified):
        try visitDownload(file, name: name, modified: modified, visitor)
      }
    }
  }

  private func root(of tree: ContextTree) throws -> SourceRoot {
    if let opened, opened.origin == .context(tree.directory) { return opened }
    let root = SourceRoot(
      try TreeAccess.openDirectory(tree.directory), origin: .context(tree.directory),
      ignore: tree.ignore.flatMap { $0.isEmpty ? nil : $0 })
    opened = root
    return root
  }

  private func root(of tree: RootTree) throws -> SourceRoot {
    if let opened, opened.origin == .tree(tree) { return opened }
    let root = SourceRoot(
      try DetachedOverlay.readOnly(tree, empty: empty), origin: .tree(tree), ignore: nil)
    opened = root
    return root
  }

  private func visitDownload(
    _ file: [UInt8], name: [UInt8], modified: Int?, _ visitor: some SourceVisitor
  ) throws {
    let descriptor = try TreeAccess.open(
      file, in: AT_FDCWD, flags: TreeAccess.pathOnly, resolve: 0)
    try withEntry(for: descriptor, isContext: true) { entry in
      try visitor.begin(
        SourceItem(
          content: .download(entry, modified: modified), name: name, isContext: true,
          isOneOfSeveral: request.sources.count > 1))
    }
    try visitor.end()
  }

  private func visit(_ path: [UInt8], in root: SourceRoot, _ visitor: some SourceVisitor) throws {
    if request.keepsParents { return try visitParents(path, in: root, visitor) }
    let components = PathBytes.components(path)
    guard let first = components.firstIndex(where: { GlobPattern.hasWildcard($0) }) else {
      return try visitItem(
        PathBytes.join(components[...]), matched: nil, spelled: path, count: 1, in: root, visitor)
    }
    for match in try matches(components, from: first, spelled: path, in: root) {
      try visitItem(
        match.path, matched: match.relative, spelled: path, count: match.count, in: root, visitor)
    }
  }

  /// Gives one directory or file to the visitor.
  private func visitItem(
    _ path: [UInt8], matched: [UInt8]?, spelled: [UInt8], count: Int, in root: SourceRoot,
    _ visitor: some SourceVisitor
  ) throws {
    guard let found = try root.find(path) else { throw root.missing(spelled) }
    var walk = SourceWalk(root: root, excludes: request.excludes, pattern: nil)
    if root.ignore != nil {
      // The rules hold for the place that links lead to, not for the spelling.
      walk.contextPath = try root.realPath(of: found)
      guard try walk.keeps(found), try !root.hasExcludedLink(on: path) else {
        throw root.ignored(spelled)
      }
    }
    try withEntry(for: found, isContext: root.isContext) { entry in
      let item = SourceItem(
        content: entry.isDirectory ? .directory(entry) : .entry(entry),
        name: PathBytes.lastComponent(path), matched: matched, isContext: root.isContext,
        isOneOfSeveral: request.sources.count > 1 || count > 1)
      try visitor.begin(item)
      if entry.isDirectory { try walk.run(found, visitor) }
    }
    try visitor.end()
  }

  /// `--parents`: the content of the directory before the pivot, less what the rest does not match.
  private func visitParents(
    _ path: [UInt8], in root: SourceRoot, _ visitor: some SourceVisitor
  ) throws {
    let pivot = PathBytes.pivot(path)
    guard let pattern = ParentsPattern(PathBytes.join(PathBytes.components(pivot.rest)[...]))
    else { throw root.malformed(path) }
    var bases: [[UInt8]] = []
    let components = PathBytes.components(pivot.base)
    if let first = components.firstIndex(where: { GlobPattern.hasWildcard($0) }) {
      bases = try matches(components, from: first, spelled: path, in: root).map(\.path)
    } else {
      bases = [PathBytes.join(components[...])]
    }
    for base in bases {
      guard let found = try root.find(base) else { throw root.missing(path) }
      let status = try TreeAccess.status(of: found.raw)
      guard status.st_mode & S_IFMT == S_IFDIR else { throw root.missing(path) }
      var walk = SourceWalk(root: root, excludes: request.excludes, pattern: pattern)
      if root.ignore != nil { walk.contextPath = try root.realPath(of: found) }
      if pattern.isPlain && bases.count == 1, try !walk.findsAnything(in: found) {
        throw root.missing(path)
      }
      try withEntry(for: found, isContext: root.isContext) { entry in
        try visitor.begin(
          SourceItem(
            content: .directory(entry), name: PathBytes.lastComponent(base), matched: nil,
            isContext: root.isContext, isOneOfSeveral: false))
        try walk.run(found, visitor)
      }
      try visitor.end()
    }
  }

  /// The paths that a wildcard stands for, sorted (C4).
  private func matches(
    _ components: [[UInt8]], from first: Int, spelled: [UInt8], in root: SourceRoot
  ) throws -> [(path: [UInt8], relative: [UInt8], count: Int)] {
    var patterns: [GlobPattern] = []
    for component in components[first...] {
      guard let pattern = GlobPattern(component) else { throw root.malformed(spelled) }
      patterns.append(pattern)
    }
    let base = PathBytes.join(components[..<first])
    guard let directory = try root.find(base),
      try TreeAccess.status(of: directory.raw).st_mode & S_IFMT == S_IFDIR
    else { throw root.missing(base) }
    if root.ignore != nil {
      var walk = SourceWalk(root: root, excludes: nil, pattern: nil)
      walk.contextPath = try root.realPath(of: directory)
      guard try walk.keeps(directory), try !root.hasExcludedLink(on: base) else {
        throw root.ignored(base)
      }
    }
    var found: [[UInt8]] = []
    try collect(
      patterns[...], in: directory.raw, root: root,
      contextPath: root.ignore == nil ? [] : root.realPath(of: directory), relative: [], &found)
    return found.map {
      (base.isEmpty ? $0 : base + [UInt8(ascii: "/")] + $0, $0, found.count)
    }
  }

  private func collect(
    _ patterns: ArraySlice<GlobPattern>, in directory: CInt, root: SourceRoot,
    contextPath: [UInt8], relative: [UInt8], _ found: inout [[UInt8]]
  ) throws {
    guard let pattern = patterns.first else { return }
    let listing = try SourceWalk.list(directory)
    for index in 0..<listing.count {
      let name = UnsafeBufferPointer(
        start: UnsafeRawPointer(listing.name(index)).assumingMemoryBound(to: UInt8.self),
        count: strlen(listing.name(index)))
      guard pattern.matches(name) else { continue }
      let path = PathBytes.appending(contextPath, name)
      let below = PathBytes.appending(relative, name)
      let isIgnored = root.ignore?.excludes(path) ?? false
      if isIgnored && !(root.ignore?.hasExceptions ?? false) { continue }
      if patterns.count == 1 {
        if isIgnored {
          guard
            let child = try TreeAccess.openIfPresent(
              Array(name), in: listing.raw, flags: TreeAccess.pathOnly | O_NOFOLLOW)
          else { continue }
          var walk = SourceWalk(root: root, excludes: nil, pattern: nil)
          walk.contextPath = path
          if try !walk.keeps(child) { continue }
        }
        found.append(below)
        continue
      }
      // Only directories themselves are entered on the way, as BuildKit's walk does; no links.
      guard
        let child = try TreeAccess.openIfPresent(
          Array(name), in: listing.raw, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      else { continue }
      try collect(
        patterns.dropFirst(), in: child.raw, root: root, contextPath: path, relative: below, &found)
    }
  }

  /// Makes an entry of a descriptor, under its name in /proc.
  private func withEntry(
    for descriptor: borrowing OwnedDescriptor, isContext: Bool,
    _ body: (SourceEntry) throws -> Void
  ) throws {
    let status =
      isContext
      ? try TreeAccess.status(of: descriptor.raw) : try FileRecord.status(of: descriptor.raw)
    try TreeAccess.withTerminated(Array("/proc/self/fd/\(descriptor.raw)".utf8)) { name in
      try body(SourceEntry(directory: AT_FDCWD, name: name, status: status))
    }
  }
}
