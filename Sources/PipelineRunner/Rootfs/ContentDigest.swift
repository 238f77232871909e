import Glibc
import PipelineDSL
import SystemPackage

/// The digest of just the paths that a step reads (cache.md K4–K6).
///
/// It is a visitor of the same selection that a copy takes, so that a key covers what is copied and
/// nothing else: ignore rules, wildcards, owners and modes as they will land. Times are left out.
struct ContentDigest {
  /// A directory with nothing in it.
  var empty: FilePath

  /// What one source comes to, for a bind mount.
  func digest(of source: CopyRequest.Source) throws -> Digest {
    let request = CopyRequest(
      root: .empty, sources: [source], destination: Array("/".utf8),
      workingDirectory: Array("/".utf8))
    return try digest(of: request, memo: nil, coversTop: true)
  }

  /// What a whole copy comes to: sources after ignore rules and wildcards, owners and modes as
  /// they will land.
  func digest(of request: CopyRequest, memo: ContextMemo?) throws -> Digest {
    try digest(of: request, memo: memo, coversTop: false)
  }

  private func digest(
    of request: CopyRequest, memo: ContextMemo?, coversTop: Bool
  ) throws -> Digest {
    try CopyError.located(request, doing: "cannot read what is to be copied") {
      let visitor = DigestVisitor(
        rules: try LandingRules(request, empty: empty), memo: memo, coversTop: coversTop)
      try SourceSelection(request, empty: empty).visit(visitor)
      return try visitor.finish()
    }
  }
}

private final class DigestVisitor: SourceVisitor {
  /// An inode of a source.
  private struct Inode: Hashable {
    var device: dev_t
    var number: ino_t
  }

  private let rules: LandingRules
  private let memo: ContextMemo?
  /// Whether the mode and owner of a source directory itself are visible, as in a mount; a copy
  /// leaves the destination its own (C6).
  private let coversTop: Bool
  private let scan = ContextMemo.Scan()
  private let encoding = EntryEncoding()
  private let digester = FileDigester()
  /// What to remember of each file queued; nil for those that the memo knows or must not.
  private var learned: [stat?] = []
  private var links: [Inode: Int] = [:]
  private var count = 0
  private var isContext = false
  private let link = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)

  init(rules: LandingRules, memo: ContextMemo?, coversTop: Bool) {
    self.rules = rules
    self.memo = memo
    self.coversTop = coversTop
    encoding.buffer.append(Array("content 1".utf8))
  }

  deinit { link.deallocate() }

  func finish() throws -> Digest {
    let hasher = HashContext()
    hasher.begin()
    hasher.update(encoding.buffer.start, encoding.buffer.count)
    let buffer = ByteBuffer()
    var index = 0
    try digester.finish { value in
      buffer.removeAll()
      value.append(to: buffer)
      hasher.update(buffer.start, buffer.count)
      if let status = learned[index] { memo?.remember(value, of: status, scan) }
      index += 1
    }
    return hasher.finish()
  }

  // MARK: Operands

  func begin(_ item: SourceItem) throws {
    isContext = item.isContext
    links = [:]
    append(bytes: item.matched ?? [])
    switch item.content {
    case .directory(let entry):
      encoding.buffer.append(byte: 1)
      guard coversTop else { return }
      append(rules.landing(of: entry.status, isContext: isContext))
      try appendAttributes(entry)
    case .entry(let entry):
      encoding.buffer.append(byte: 2)
      append(bytes: item.name)
      try add(entry)
    case .inline(let content):
      encoding.buffer.append(byte: 3)
      append(bytes: item.name)
      append(rules.landing(mode: 0o644, modified: .now))
      append(bytes: content)
    case .download(let entry, let modified):
      encoding.buffer.append(byte: 4)
      append(bytes: item.name)
      append(rules.landing(mode: 0o600, modified: .now))
      encoding.buffer.append(number: UInt64(bitPattern: Int64(modified ?? 0)))
      add(file: entry)
    }
  }

  func end() throws {
    encoding.end()
  }

  func enter(_ directory: SourceEntry) throws {
    encoding.append(.directory, directory.name)
    append(rules.landing(of: directory.status, isContext: isContext))
    try appendAttributes(directory)
  }

  func leave() throws {
    encoding.end()
  }

  func add(_ entry: SourceEntry) throws {
    let landing = rules.landing(of: entry.status, isContext: isContext)
    // A path under /proc stands for what was named itself.
    let isNamed = entry.directory != AT_FDCWD
    count += 1
    switch entry.type {
    case S_IFREG:
      if entry.status.st_nlink > 1 {
        let inode = Inode(device: entry.status.st_dev, number: entry.status.st_ino)
        if let first = links[inode] {
          appendName(.hardLink, entry, isNamed)
          return encoding.buffer.append(number: UInt64(first))
        }
        links[inode] = count
      }
      appendName(.file, entry, isNamed)
      append(landing)
      encoding.buffer.append(number: UInt64(entry.status.st_size))
      add(file: entry)
    case S_IFLNK:
      let length = try entry.readLink(into: link)
      link[length] = 0
      appendName(.link, entry, isNamed)
      append(landing)
      if let start = link.baseAddress {
        encoding.buffer.append(text: start.assumingMemoryBound(to: CChar.self))
      }
    default:
      appendName(.node, entry, isNamed)
      append(landing)
      encoding.buffer.append(number: UInt64(entry.status.st_mode & S_IFMT))
      encoding.buffer.append(number: UInt64(entry.status.st_rdev))
    }
  }

  private func add(file entry: SourceEntry) {
    // A merged root has device and inode numbers of its own each time it is mounted.
    let usesMemo = isContext
    if usesMemo, let value = memo?.value(of: entry.status) {
      digester.add(known: value)
      learned.append(nil)
      return
    }
    digester.add(
      FileDigester.File(
        listing: entry.listing, directory: entry.directory, name: entry.name,
        status: entry.status, attributes: isContext ? .context : .all, mayChange: true))
    learned.append(usesMemo ? entry.status : nil)
  }

  // MARK: Encoding

  private func appendName(_ kind: EntryEncoding.Kind, _ entry: SourceEntry, _ isNamed: Bool) {
    if isNamed { encoding.append(kind, entry.name) } else { encoding.append(kind, "") }
  }

  private func append(_ landing: Landing) {
    encoding.append(mode: landing.mode, uid: landing.uid, gid: landing.gid)
  }

  private func append(bytes: [UInt8]) {
    encoding.buffer.append(number: UInt64(bytes.count))
    encoding.buffer.append(bytes)
  }

  private func appendAttributes(_ directory: SourceEntry) throws {
    let opened = try directory.openDirectory()
    let buffer = encoding.buffer
    let start = buffer.count
    buffer.append(number: 0)
    guard ExtendedAttributes.hasAny(opened.raw) else { return }
    try ExtendedAttributes.append(of: opened.raw, isContext ? .context : .all, to: buffer)
    let length = UInt64(buffer.count - start - 8)
    (buffer.start + start).storeBytes(of: length.littleEndian, as: UInt64.self)
  }
}
