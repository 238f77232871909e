import Glibc
import PipelineDSL
import SystemPackage

/// What each layer of an image adds, replaces and deletes, file by file.
///
/// Bytes of content are counted; what a later layer hides is in the image all the same.
final class LayerSizes {
  struct Layer: Sendable {
    /// Bytes of files that were not there before.
    var added: Int64 = 0
    /// Bytes of files that stand in the place of others.
    var replacing: Int64 = 0
    /// Bytes of lower layers that it hides, by deleting or replacing them.
    var hides: Int64 = 0
  }

  struct File: Sendable {
    var path: String
    var size: Int64
    /// The number of the layer that has it.
    var layer: Int
    /// The number of the layer that hides it; nil where it shows.
    var hiddenBy: Int?
  }

  /// A name in the merged tree.
  private final class Node {
    var children: [[UInt8]: Node] = [:]
    var size: Int64 = 0
    var layer = 0
    var isFile = false
  }

  private let top = Node()
  private(set) var layers: [Layer] = []
  /// Files that a later layer hides.
  private var hidden: [File] = []
  /// Names of files that were counted, as hard links share their content.
  private var links = Set<UInt64>()

  /// Adds the next layer, bottom first.
  func add(_ directory: FilePath) throws {
    layers.append(Layer())
    links = []
    let root = try TreeAccess.openDirectory(directory)
    try walk(DirectoryListing(owning: root.take()), into: top, [], depth: 0)
  }

  /// The largest files, those that show and those that do not.
  func largest(_ count: Int) -> (shown: [File], hidden: [File]) {
    var shown: [File] = []
    collect(top, [], &shown)
    func first(_ files: [File]) -> [File] {
      Array(
        files.sorted { ($1.size, $0.path) < ($0.size, $1.path) }.prefix(count)
          .filter { $0.size > 0 })
    }
    return (first(shown), first(hidden))
  }

  private func walk(
    _ listing: DirectoryListing, into node: Node, _ path: [UInt8], depth: Int
  ) throws {
    guard depth < SourceWalk.deepest else {
      throw Diagnostic("a layer's directories are nested more than \(SourceWalk.deepest) deep")
    }
    for index in 0..<listing.count {
      let name = listing.name(index)
      let bytes = UpperWriter.bytes(name)
      let place = path + [UInt8(ascii: "/")] + bytes
      var status = stat()
      guard fstatat(listing.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw SystemError("fstatat", path: place)
      }
      if status.isWhiteout {
        if let gone = node.children.removeValue(forKey: bytes) { hide(gone, place) }
        continue
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        addFile(bytes, status, to: node, place)
        continue
      }
      let raw = openat(listing.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard raw >= 0 else { throw SystemError("open", path: place) }
      let inner = try DirectoryListing(owning: raw)
      if let old = node.children[bytes], old.isFile || OverlayMark.isOpaque(raw) {
        hide(old, place)
        node.children[bytes] = nil
      }
      let child = node.children[bytes] ?? Node()
      node.children[bytes] = child
      try walk(inner, into: child, place, depth: depth + 1)
    }
  }

  private func addFile(_ name: [UInt8], _ status: stat, to node: Node, _ place: [UInt8]) {
    var size: Int64 = 0
    if status.st_mode & S_IFMT == S_IFREG {
      let isCounted = status.st_nlink > 1 && !links.insert(UInt64(status.st_ino)).inserted
      size = isCounted ? 0 : Int64(status.st_size)
    }
    let number = layers.count - 1
    if let old = node.children[name] {
      hide(old, place)
      layers[number].replacing += size
    } else {
      layers[number].added += size
    }
    let file = Node()
    file.isFile = true
    file.size = size
    file.layer = number
    node.children[name] = file
  }

  /// Counts what nobody sees any more.
  private func hide(_ node: Node, _ path: [UInt8]) {
    let number = layers.count - 1
    if node.isFile, node.size > 0 {
      layers[number].hides += node.size
      hidden.append(
        File(
          path: UpperWriter.text(path), size: node.size, layer: node.layer, hiddenBy: number))
    }
    for (name, child) in node.children { hide(child, path + [UInt8(ascii: "/")] + name) }
  }

  private func collect(_ node: Node, _ path: [UInt8], _ files: inout [File]) {
    if node.isFile {
      files.append(File(path: UpperWriter.text(path), size: node.size, layer: node.layer))
    }
    for (name, child) in node.children {
      collect(child, path + [UInt8(ascii: "/")] + name, &files)
    }
  }
}
