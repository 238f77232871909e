import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// Holds everything in a store against its digest, and takes out what does not fit: it is made
/// again when a build next needs it.
///
/// Cache mounts have no digest; what they hold is the business of the programs that write there.
struct StoreCheck {
  struct Result: Sendable {
    var layers = 0
    var blobs = 0
    /// Records, packs, images, documents.
    var files = 0
    var bytes: Int64 = 0
    /// What was wrong, and what was done about it.
    var repairs: [String] = []
    /// Named images that have to be built again.
    var brokenImages: [String] = []
    /// Named images that have layers elsewhere only, as after a push of what a cache served.
    var incompleteImages: [String] = []

    /// Layers that were taken out.
    fileprivate var lost = Set<LayerID>()

    var isSound: Bool { repairs.isEmpty && brokenImages.isEmpty }
  }

  let store: Store
  /// Whether sizes and counts do, instead of the bytes.
  var isQuick = false

  func run() throws -> Result {
    var result = Result()
    try checkImages(&result)
    let images = try store.images()
    try checkFiles(in: "packs", "record of a packed layer", &result) {
      try CheckedFile.read(PackedLayer.self, from: $0) != nil
    }
    let users = Users(images, packs: try store.packs())
    let blobs = try FileWork.compactMap(digests(in: "blobs")) { try blob($0, users) }
    let layers = try FileWork.compactMap(digests(in: "layers")) { try layer(LayerID($0), users) }
    result.blobs = blobs.count
    result.layers = layers.count
    for found in blobs + layers {
      result.bytes += found.bytes
      if let problem = found.problem { try takeOut(found.entry, problem, &result) }
    }
    try checkFiles(in: "records", "record", &result) {
      try CheckedFile.read(Record.self, from: $0) != nil
    }
    try checkDocuments(&result)
    if try !ContextMemo.isSound(at: store.path.appending("memo")) {
      try remove(store.path.appending("memo"), "memo of file digests", &result)
    }
    for image in images {
      let missing = try image.variants.flatMap(\.layers).filter { try store.info(of: $0) == nil }
      if missing.contains(where: result.lost.contains) {
        result.brokenImages.append(image.name)
      } else if !missing.isEmpty {
        result.incompleteImages.append(image.name)
      }
    }
    return result
  }

  /// Which images need what.
  private struct Users: Sendable {
    var layers: [LayerID: [String]] = [:]
    var blobs: [Digest: [String]] = [:]
    /// The sizes that blobs are known to have.
    var sizes: [Digest: Int64] = [:]

    init(_ images: [NamedImage], packs: [PackedLayer]) {
      var tars: [Digest: [String]] = [:]
      for image in images {
        let variants = image.variants
        for layer in Set(variants.flatMap(\.layers)) {
          layers[layer, default: []].append(image.name)
        }
        for digest in Set(variants.flatMap(\.configuration.rootfs.diffIDs)) {
          tars[digest, default: []].append(image.name)
        }
      }
      for packed in packs {
        blobs[packed.descriptor.digest] = tars[packed.diffID]
        sizes[packed.descriptor.digest] = packed.descriptor.size
      }
    }

    static func text(_ names: [String]?) -> String {
      names.map { " (of \($0.joined(separator: ", ")))" } ?? ""
    }
  }

  private func digests(in folder: String) throws -> [Digest] {
    try DirectoryTree.names(in: store.path.appending(folder)).sorted().compactMap {
      Digest(hex: $0)
    }
  }

  // MARK: - Blobs and layers

  /// What was looked at, and what is wrong with it.
  private struct Found: Sendable {
    var entry: StoreEntry
    var bytes: Int64
    var problem: String?
  }

  private func blob(_ digest: Digest, _ users: Users) throws -> Found? {
    // A collector may be at work.
    guard let slice = try? FileSlice(opening: store.blob(digest)) else { return nil }
    var problem: String?
    if let size = users.sizes[digest], size != slice.size {
      problem = "had \(slice.size) bytes instead of \(size)"
    } else if !isQuick {
      let found = try slice.reader().digest()
      if found != digest { problem = "had other bytes (\(found))" }
    }
    let name = "blob \(digest)\(Users.text(users.blobs[digest]))"
    return Found(
      entry: .blob(digest), bytes: slice.size, problem: problem.map { "\(name) \($0)" })
  }

  private func layer(_ layer: LayerID, _ users: Users) throws -> Found {
    let name = "layer \(layer.digest)\(Users.text(users.layers[layer]))"
    guard let info = try store.info(of: layer) else {
      return Found(entry: .layer(layer), bytes: 0, problem: "\(name) had no description")
    }
    let directory = store.directory(of: layer)
    var problem: String?
    do {
      if isQuick {
        let usage = try DirectoryTree.usage(of: directory)
        problem = Self.difference(info, bytes: usage.bytes, entries: usage.entries)
      } else {
        let content = try LayerContent(of: directory)
        problem = Self.difference(info, bytes: content.bytes, entries: content.entries)
        // The name of an image's layer is the digest of its tar; what that was unpacked to is
        // written down.
        let expected = info.isBase ? info.content : layer.digest
        if problem == nil, let expected, expected != content.id.digest {
          problem = "had other content"
        }
      }
    } catch let error as SystemError {
      problem = "could not be read (\(error.diagnostic("").message))"
    }
    return Found(
      entry: .layer(layer), bytes: info.size, problem: problem.map { "\(name) \($0)" })
  }

  private static func difference(_ info: LayerInfo, bytes: Int64, entries: Int) -> String? {
    guard bytes != info.size || entries != info.entries else { return nil }
    return
      "held \(entries) entries with \(bytes) bytes instead of \(info.entries) with \(info.size)"
  }

  /// Takes an entry out that nobody else is at work with: what they have found would vanish under
  /// them.
  private func takeOut(_ entry: StoreEntry, _ what: String, _ result: inout Result) throws {
    let trash: String?
    do {
      let gate = try FileLock.acquire(store.path.appending("gate"), .exclusive)
      defer { withExtendedLifetime(gate) {} }
      let held = try Lease.entries(in: store.path.appending("leases")).entries
      guard !held.contains(entry) else {
        return result.repairs.append(
          "\(what): in use by a build, check again once that has ended")
      }
      trash = try store.moveToTrash(entry)
    }
    // What somebody else removed meanwhile is no finding.
    guard let trash else { return }
    Store.delete(trash)
    if entry.kind == .layer { result.lost.insert(LayerID(entry.digest)) }
    result.repairs.append("\(what): removed")
  }

  // MARK: - Small files

  /// Removes files that cannot be read as what they are; a name is checked against the file's own.
  private func checkImages(_ result: inout Result) throws {
    struct Named: Decodable {
      var name: String
    }
    let folder = store.path.appending("images")
    for digest in try digests(in: "images") {
      let file = folder.appending(digest.hex)
      result.files += 1
      guard try CheckedFile.read(NamedImage.self, from: file) == nil,
        let bytes = try FileContent.readIfPresent(file)
      else { continue }
      let text = bytes.prefix { $0 != UInt8(ascii: "\n") }
      let name = try? JSONDecoder().decode(Named.self, from: Data(text)).name
      let isOwn = name.map { SHA256Hasher.digest(of: Array($0.utf8)) == digest } ?? false
      try remove(file, "description of an image", &result)
      result.brokenImages.append(
        isOwn ? name ?? "" : "whose name is lost (\(digest.hex.prefix(12)))")
    }
  }

  private func checkFiles(
    in folder: String, _ what: String, _ result: inout Result,
    isSound: @escaping @Sendable (String) throws -> Bool
  ) throws {
    let files = try store.files(in: folder).sorted()
    result.files += files.count
    let damaged = try FileWork.compactMap(files) { try isSound($0) ? nil : $0 }
    for file in damaged { try remove(FilePath(file), what, &result) }
  }

  private func checkDocuments(_ result: inout Result) throws {
    let folder = store.path.appending("documents")
    guard let names = try? DirectoryTree.names(in: folder) else { return }
    for name in names.sorted() {
      let file = folder.appending(name)
      guard let digest = Digest(hex: name), let bytes = try FileContent.readIfPresent(file) else {
        continue
      }
      result.files += 1
      if SHA256Hasher.digest(of: bytes) != digest {
        try remove(file, "manifest or config", &result)
      }
    }
  }

  private func remove(_ file: FilePath, _ what: String, _ result: inout Result) throws {
    _ = file.withPlatformString { unlink($0) }
    let name = file.lastComponent?.string ?? ""
    result.repairs.append("\(what) \(name) could not be read: removed")
  }
}
