import Glibc
import PipelineDSL
import SystemPackage

/// Carries out `COPY`, and `ADD` of files that are already on this machine (section 4 of the
/// reference).
///
/// The result stands in the workspace's upper directory, ready to become a layer.
struct Copier: Sendable {
  private let empty: FilePath
  private let recordsOwners: Bool

  /// Needs a directory with nothing in it, which overlayfs wants below a single layer.
  ///
  /// Owners that cannot be set are recorded unless the result is for people and not for a layer.
  init(empty: FilePath, recordsOwners: Bool = true) {
    self.empty = empty
    self.recordsOwners = recordsOwners
  }

  /// Copies everything that the request names.
  ///
  /// - Throws: a diagnostic. What the upper directory holds then is of no use.
  func copy(_ request: CopyRequest, into workspace: Workspace) throws {
    try copy(request, to: workspace.upper)
  }

  /// Copies everything that the request names into an upper directory.
  func copy(_ request: CopyRequest, to upper: FilePath) throws {
    try CopyError.located(request, doing: "cannot copy") {
      let rules = try LandingRules(request, empty: empty)
      let writer = try UpperWriter(
        upper: upper, over: request.root, empty: empty, recordsOwners: recordsOwners)
      // mkdir takes no more than these bits, and BuildKit leaves it at that (C7).
      writer.defaults = UpperWriter.Defaults(
        mode: (rules.mode?.octal ?? 0o755) & 0o777, uid: rules.owner?.uid ?? 0,
        gid: rules.owner?.gid ?? 0)
      try SourceSelection(request, empty: empty).visit(
        CopyWriter(request, rules: rules, writer: writer))
    }
  }
}

/// Turns what goes wrong while sources are read or written into words.
enum CopyError {
  static func located<Result>(
    _ request: CopyRequest, doing: String, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch var error as Diagnostic {
      error.location = error.location ?? request.location
      throw error
    } catch let error as SystemError {
      throw error.diagnostic(doing, at: request.location)
    } catch let error as SourceChanged {
      throw Diagnostic(
        "'\(String(decoding: error.name, as: UTF8.self))' changed while it was being read",
        at: request.location, help: "build again once nothing writes to it")
    }
  }
}

/// The visitor that writes what a selection finds.
private final class CopyWriter: SourceVisitor {
  private struct Level {
    var folder: UpperWriter.Folder
    /// What the directory gets when its content is complete.
    var landing: Landing
  }

  /// An inode of the source.
  private struct Inode: Hashable {
    var device: dev_t
    var number: ino_t
  }

  private let request: CopyRequest
  private let rules: LandingRules
  private let writer: UpperWriter
  private let destination: [UInt8]
  /// Spelled so that it can only be a directory (C3).
  private let isSpelledAsDirectory: Bool
  private var levels: [Level] = []
  /// The time that the destination directory itself gets (C6).
  private var topTime: timespec?
  private var isContext = false
  /// The first name of each file that has several; links are kept within one operand (C7).
  private var firstNames: [Inode: UpperWriter.Place] = [:]
  private let link = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)

  init(_ request: CopyRequest, rules: LandingRules, writer: UpperWriter) {
    self.request = request
    self.rules = rules
    self.writer = writer
    let path = request.destination
    let absolute =
      path.first == UInt8(ascii: "/")
      ? path : request.workingDirectory + [UInt8(ascii: "/")] + path
    destination = PathBytes.join(PathBytes.components(absolute)[...])
    let last = PathBytes.lastComponent(path)
    isSpelledAsDirectory = last.isEmpty || last == Array(".".utf8) || last == Array("..".utf8)
  }

  deinit { link.deallocate() }

  // MARK: Operands

  func begin(_ item: SourceItem) throws {
    isContext = item.isContext
    firstNames = [:]
    switch item.content {
    case .directory(let entry):
      let folder = try writer.makeDirectories(destination)
      levels = [Level(folder: folder, landing: rules.landing(of: entry.status, isContext: false))]
      topTime = entry.status.st_mtim
    case .entry(let entry):
      if request.unpacks != .never && entry.type == S_IFREG, try unpack(entry) { return }
      let (folder, name) = try place(item)
      levels = [Level(folder: folder, landing: rules.landing(of: entry.status, isContext: false))]
      try TreeAccess.withTerminated(name) { try write(entry, as: $0, in: folder) }
    case .inline(let content):
      let (folder, name) = try place(item)
      try TreeAccess.withTerminated(name) { text in
        try writer.makeFile(
          text, in: folder, landing: rules.landing(mode: 0o644, modified: .now),
          fill: { target in
            try content.withUnsafeBytes { bytes in
              try FileData.write(bytes, to: target)
            }
          }, attributes: { _ in })
      }
    case .download(let entry, let modified):
      if request.unpacks == .archivesAndDownloads, try unpack(entry) { return }
      let (folder, name) = try place(item)
      // Without Last-Modified the time is 0, so that it does not depend on when it was fetched.
      let time = timespec(tv_sec: modified ?? 0, tv_nsec: 0)
      try TreeAccess.withTerminated(name) {
        try writeFile(
          entry, as: $0, in: folder, landing: rules.landing(mode: 0o600, modified: time),
          attributes: nil)
      }
    }
  }

  func end() throws {
    defer {
      levels = []
      topTime = nil
    }
    guard let topTime, let top = levels.first?.folder, top.upper >= 0 else { return }
    guard futimens(top.upper, [topTime, topTime]) == 0 else { throw SystemError("futimens") }
  }

  /// Where a file goes: below the destination if that is a directory, else onto it (C3).
  private func place(_ item: SourceItem) throws -> (UpperWriter.Folder, [UInt8]) {
    if isSpelledAsDirectory { return (try writer.makeDirectories(destination), item.name) }
    let found = try writer.resolve(destination)
    if case .folder(let folder) = found { return (folder, item.name) }
    if item.isOneOfSeveral {
      let spelled = String(decoding: request.destination, as: UTF8.self)
      throw Diagnostic(
        "several sources need a directory, and '\(spelled)' is none",
        help: "write '\(spelled)/'")
    }
    switch found {
    case .other(let folder, let name): return (folder, name)
    case .missing(var folder, let names):
      for name in names.dropLast() { folder = try writer.makeDirectory(name, in: folder) }
      return (folder, names[names.count - 1])
    case .folder(let folder): return (folder, item.name)
    }
  }

  private func unpack(_ entry: SourceEntry) throws -> Bool {
    let file = try entry.openFile()
    guard try ArchiveExtractor.isArchive(file.raw) else { return false }
    // The directory that an archive goes to is 0755 whatever --chmod says (C12).
    let defaults = writer.defaults
    writer.defaults.mode = 0o755
    defer { writer.defaults = defaults }
    let folder = try writer.makeDirectories(destination)
    var extractor = ArchiveExtractor(writer: writer, into: folder, owner: rules.owner)
    try extractor.extract(file.raw)
    return true
  }

  // MARK: Content of directories

  func enter(_ directory: SourceEntry) throws {
    guard let parent = levels.last?.folder else { preconditionFailure("no destination") }
    let folder = try writer.enterDirectory(directory.nameBytes, in: parent)
    let landing = rules.landing(of: directory.status, isContext: isContext)
    levels.append(Level(folder: folder, landing: landing))
    let source = try directory.openDirectory()
    if ExtendedAttributes.hasAny(source.raw) {
      try ExtendedAttributes.copy(
        from: source.raw, to: folder.upper, keeping: isContext ? .context : .all)
    }
  }

  func leave() throws {
    let level = levels.removeLast()
    try writer.finish(level.folder, landing: level.landing)
  }

  func add(_ entry: SourceEntry) throws {
    guard let folder = levels.last?.folder else { preconditionFailure("no destination") }
    try write(entry, as: entry.name, in: folder)
  }

  // MARK: Files

  private func write(
    _ entry: SourceEntry, as name: UnsafePointer<CChar>, in folder: UpperWriter.Folder
  ) throws {
    let landing = rules.landing(of: entry.status, isContext: isContext)
    switch entry.type {
    case S_IFREG:
      if entry.status.st_nlink > 1, try linkToFirstName(of: entry, as: name, in: folder) { return }
      try writeFile(
        entry, as: name, in: folder, landing: landing, attributes: isContext ? .context : .all)
    case S_IFLNK:
      let length = try entry.readLink(into: link)
      link[length] = 0
      guard let start = link.baseAddress else { return }
      try writer.makeLink(
        name, in: folder, to: start.assumingMemoryBound(to: CChar.self), landing: landing)
    default:
      // BuildKit's transfer of a context makes an empty file of a socket.
      let type = isContext && entry.type == S_IFSOCK ? S_IFREG : entry.type
      try writer.makeNode(
        name, in: folder, type: type, device: entry.status.st_rdev, landing: landing)
    }
  }

  private func linkToFirstName(
    of entry: SourceEntry, as name: UnsafePointer<CChar>, in folder: UpperWriter.Folder
  ) throws -> Bool {
    let inode = Inode(device: entry.status.st_dev, number: entry.status.st_ino)
    guard let first = firstNames[inode] else {
      firstNames[inode] = UpperWriter.Place(folder: folder, name: UpperWriter.bytes(name))
      return false
    }
    try writer.makeHardLink(name, in: folder, to: first)
    return true
  }

  private func writeFile(
    _ entry: SourceEntry, as name: UnsafePointer<CChar>, in folder: UpperWriter.Folder,
    landing: Landing, attributes: ExtendedAttributes.Selection?
  ) throws {
    let source = try entry.openFile()
    try writer.makeFile(
      name, in: folder, landing: landing,
      fill: { target in
        let count = try writer.data.copy(from: source.raw, to: target, status: entry.status)
        guard count == Int(entry.status.st_size),
          entry.status.isSameContent(as: try TreeAccess.status(of: source.raw))
        else { throw SourceChanged(name: entry.nameBytes) }
      },
      attributes: { target in
        guard let attributes, ExtendedAttributes.hasAny(source.raw) else { return }
        try ExtendedAttributes.copy(from: source.raw, to: target, keeping: attributes)
      })
  }
}
