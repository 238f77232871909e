import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// What a finished upper directory holds, found in one walk: its content digest and its size.
///
/// The digest covers all that a container can see except times: names, types, modes, owners, bytes,
/// link targets, devices, which names are hard links of one file, attributes, and what is hidden of
/// the layers below. Attributes that overlayfs keeps for itself do not count.
struct LayerContent: Sendable {
  var id: LayerID
  /// Bytes of file content, hard links counted once.
  var bytes: Int64
  var entries: Int

  /// Walks a directory that nobody writes to any more.
  init(of upper: FilePath) throws {
    let walk = ContentWalk()
    try walk.run(TreeAccess.openDirectory(upper))
    let hasher = HashContext()
    hasher.begin()
    hasher.update(walk.manifest.start, walk.manifest.count)
    let value = ByteBuffer()
    try walk.digester.finish { file in
      value.removeAll()
      file.append(to: value)
      hasher.update(value.start, value.count)
    }
    id = LayerID(hasher.finish())
    bytes = walk.bytes
    entries = walk.entries
  }

  /// The content digest alone.
  static func id(of upper: FilePath) throws -> LayerID {
    try LayerContent(of: upper).id
  }
}

/// Writes an entry of a tree in a form in which no two trees are alike.
///
/// Every field has a fixed size or is preceded by its length, and a directory's end is marked.
/// Contents of files are not in it: their values follow in the same order.
struct EntryEncoding {
  enum Kind: UInt8 {
    case end
    case directory
    case opaqueDirectory
    case file
    case hardLink
    case link
    case node
    case whiteout
  }

  let buffer = ByteBuffer(capacity: 1 << 16)

  func append(_ kind: Kind, _ name: UnsafePointer<CChar>) {
    buffer.append(byte: kind.rawValue)
    buffer.append(text: name)
  }

  func append(mode: UInt32, uid: UInt32, gid: UInt32) {
    buffer.append(number: UInt64(mode))
    buffer.append(number: UInt64(uid) << 32 | UInt64(gid))
  }

  func end() {
    buffer.append(byte: Kind.end.rawValue)
  }
}

private final class ContentWalk {
  private let encoding = EntryEncoding()
  let digester = FileDigester()
  private(set) var bytes: Int64 = 0
  private(set) var entries = 0

  /// The number, in the order of the walk, of each file that has several names.
  private var links: [UInt64: Int] = [:]
  private let link = UnsafeMutableRawBufferPointer.allocate(byteCount: 4097, alignment: 1)

  deinit { link.deallocate() }

  var manifest: ByteBuffer { encoding.buffer }

  func run(_ top: consuming OwnedDescriptor) throws {
    let status = try FileRecord.status(of: top.raw)
    encoding.buffer.append(Array("layer 1".utf8))
    appendOwner(status)
    try appendAttributes(top.raw)
    try walk(DirectoryListing(owning: top.take()), depth: 0)
  }

  private func walk(_ listing: DirectoryListing, depth: Int) throws {
    guard depth < SourceWalk.deepest else {
      throw Diagnostic("a layer's directories are nested more than \(SourceWalk.deepest) deep")
    }
    var status = stat()
    for index in 0..<listing.count {
      let name = listing.name(index)
      guard FileRecord.status(of: name, in: listing.raw, &status) == 0 else {
        throw SystemError("fstatat", path: UpperWriter.bytes(name))
      }
      try visit(name, status, listing, depth: depth)
    }
    encoding.end()
  }

  private func visit(
    _ name: UnsafePointer<CChar>, _ status: stat, _ listing: DirectoryListing, depth: Int
  ) throws {
    entries += 1
    // Deletions may share an inode and mean nothing by it.
    if status.st_nlink > 1, status.st_mode & S_IFMT != S_IFDIR, !status.isWhiteout {
      let number = UInt64(status.st_ino)
      if let first = links[number] {
        encoding.append(.hardLink, name)
        return encoding.buffer.append(number: UInt64(first))
      }
      links[number] = entries
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      let raw = openat(listing.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard raw >= 0 else { throw SystemError("open", path: UpperWriter.bytes(name)) }
      let child = try DirectoryListing(owning: raw)
      encoding.append(OverlayMark.isOpaque(raw) ? .opaqueDirectory : .directory, name)
      appendOwner(status)
      try appendAttributes(raw)
      try walk(child, depth: depth + 1)
    case S_IFREG:
      encoding.append(.file, name)
      appendOwner(status)
      encoding.buffer.append(number: UInt64(status.st_size))
      bytes += Int64(status.st_size)
      digester.add(
        FileDigester.File(
          listing: listing, directory: listing.raw, name: name, status: status,
          attributes: .all, mayChange: false))
    case S_IFLNK:
      let entry = SourceEntry(directory: listing.raw, name: name, status: status)
      let length = try entry.readLink(into: link)
      link[length] = 0
      encoding.append(.link, name)
      appendOwner(status)
      if let start = link.baseAddress {
        encoding.buffer.append(text: start.assumingMemoryBound(to: CChar.self))
      }
    default:
      if status.isWhiteout { return encoding.append(.whiteout, name) }
      encoding.append(.node, name)
      appendOwner(status)
      encoding.buffer.append(number: UInt64(status.st_rdev))
    }
  }

  private func appendOwner(_ status: stat) {
    // The type is part of the mode.
    encoding.append(mode: UInt32(status.st_mode), uid: status.st_uid, gid: status.st_gid)
  }

  private func appendAttributes(_ directory: CInt) throws {
    let buffer = encoding.buffer
    let start = buffer.count
    buffer.append(number: 0)
    guard ExtendedAttributes.hasAny(directory) else { return }
    try ExtendedAttributes.append(of: directory, .all, to: buffer)
    let length = UInt64(buffer.count - start - 8)
    (buffer.start + start).storeBytes(of: length.littleEndian, as: UInt64.self)
  }
}
