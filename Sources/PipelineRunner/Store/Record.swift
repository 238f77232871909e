import FoundationEssentials
import Glibc
import SystemPackage

/// What an operation led to, kept under its key.
struct Record: Codable, Hashable, Sendable {
  /// The layer it made; nil for an operation that makes none.
  var layer: LayerID?
  /// When it was made, in seconds since 1970: the time in the image's history.
  var created: Int
  /// How long it took, in seconds.
  var seconds: Double
  /// The key's parts, for explanations.
  var parts: [CacheKey.Part]
  /// Why the cache did not serve when it was made, where there was an earlier result.
  var reason: String?
  /// The key that names what is read by its content, where it is not the one this is kept under.
  var exact: Digest?
  /// What keys call the layer, where it came from an image: the content that its maker saw.
  ///
  /// In an image a layer leaves out what is the same below it, so that its tree is another one with
  /// the same result.
  var content: LayerID?
  /// The source date epoch that the times in the layer were clamped to, where it came so.
  var epoch: Int?

  /// Whether a build with this epoch may use it: its times are lost where an earlier one cut them.
  func isUsable(withEpoch wanted: Int?) -> Bool {
    epoch == nil || wanted == nil || epoch == wanted
  }

  /// The same record as it is kept under a quick key.
  func pointing(to key: CacheKey) -> Record {
    var record = self
    record.exact = key.digest
    return record
  }
}

extension Store {
  /// What a key led to; nil where nothing is known or the file cannot be read as a record.
  func record(for key: Digest) throws -> Record? {
    try read(Record.self, in: "records", key)
  }

  func setRecord(_ record: Record, for key: Digest) throws {
    try write(record, in: "records", key)
  }

  /// The blob that a layer was packed as, where it is still there.
  func packed(for key: Digest) throws -> PackedLayer? {
    guard let packed = try read(PackedLayer.self, in: "packs", key),
      hasBlob(packed.descriptor)
    else { return nil }
    return packed
  }

  /// The digest of a layer's tar, also where no blob of it is kept.
  func diffID(for key: Digest) throws -> Digest? {
    try read(PackedLayer.self, in: "packs", key)?.diffID
  }

  /// What a layer was packed as, whether or not the blob is still there.
  func packDescription(for key: Digest) throws -> PackedLayer? {
    try read(PackedLayer.self, in: "packs", key)
  }

  func setPacked(_ packed: PackedLayer, for key: Digest) throws {
    try write(packed, in: "packs", key)
  }

  // MARK: - All of them

  /// Everything known of packed layers.
  func packs() throws -> [PackedLayer] {
    try FileWork.compactMap(files(in: "packs")) { file in
      try CheckedFile.read(PackedLayer.self, from: file)
    }
  }

  /// Removes records that were last written before a time, in seconds since 1970, and that the body
  /// does not want; files that are no records go as well.
  ///
  /// Only old ones are read: a store may hold many.
  func removeRecords(
    before limit: Double, where isUnwanted: @escaping @Sendable (Record) throws -> Bool
  ) throws {
    try FileWork.forEach(files(in: "records")) { file in
      var status = stat()
      guard lstat(file, &status) == 0, Double(status.st_mtim.tv_sec) <= limit
      else { return }
      if let record = try CheckedFile.read(Record.self, from: file), try !isUnwanted(record) {
        return
      }
      unlink(file)
    }
  }

  /// Forgets packed layers whose blob is gone.
  func removeLoosePacks() throws {
    let blobs = Set(try DirectoryTree.names(in: path.appending("blobs")))
    try FileWork.forEach(files(in: "packs")) { file in
      let packed = try CheckedFile.read(PackedLayer.self, from: file)
      if let packed, blobs.contains(packed.descriptor.digest.hex) { return }
      unlink(file)
    }
  }

  /// The files of a folder whose files are named by digests and lie in folders by their start.
  func files(in folder: String) throws -> [String] {
    try DirectoryTree.names(in: path.appending(folder)).flatMap { name in
      let directory = "\(text)/\(folder)/\(name)"
      return try DirectoryTree.names(in: FilePath(directory)).compactMap { file in
        Digest(hex: file) == nil ? nil : "\(directory)/\(file)"
      }
    }
  }

  // MARK: - Claims

  /// Waits for the sole right to compute a key, among all processes on this store (K13).
  func claim(_ key: Digest) async throws -> FileLock {
    try await FileLock.wait(path.appending("claims"), at: Self.lockOffset(key))
  }

  /// A lock's place in a file that serves all keys: 62 bits of the digest.
  static func lockOffset(_ digest: Digest) -> Int64 {
    Int64(UInt64(digest.hex.prefix(16), radix: 16).map { $0 >> 2 } ?? 0)
  }

  private func read<Value: Decodable>(
    _ type: Value.Type, in folder: String, _ key: Digest
  ) throws -> Value? {
    try CheckedFile.read(type, from: file(folder, key))
  }

  private func write(_ value: some Encodable, in folder: String, _ key: Digest) throws {
    let file = FilePath(file(folder, key))
    try DirectoryTree.make(file.removingLastComponent(), mode: 0o755)
    try CheckedFile.write(value, to: file)
  }

  private func file(_ folder: String, _ key: Digest) -> String {
    "\(text)/\(folder)/\(key.hex.prefix(2))/\(key.hex)"
  }
}
