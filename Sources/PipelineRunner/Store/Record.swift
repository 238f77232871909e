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
      hasBlob(packed.descriptor.digest)
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

  /// Calls the body with everything known of packed layers.
  func forEachPack(_ body: (PackedLayer) throws -> Void) throws {
    try forEachFile(in: "packs") { file in
      if let packed = try Self.decode(PackedLayer.self, file) { try body(packed) }
    }
  }

  /// Removes records that were last written before a time, in seconds since 1970, and that the body
  /// does not want; files that are no records go as well.
  ///
  /// Only old ones are read: a store may hold many.
  func removeRecords(
    before limit: Double, where isUnwanted: (Record) throws -> Bool
  ) throws {
    try forEachFile(in: "records") { file in
      var status = stat()
      guard file.withPlatformString({ lstat($0, &status) }) == 0,
        Double(status.st_mtim.tv_sec) <= limit
      else { return }
      if let record = try Self.decode(Record.self, file), try !isUnwanted(record) { return }
      _ = file.withPlatformString { unlink($0) }
    }
  }

  /// Forgets packed layers whose blob is gone.
  func removeLoosePacks() throws {
    try forEachFile(in: "packs") { file in
      let packed = try Self.decode(PackedLayer.self, file)
      var status = stat()
      let isThere = packed.map { packed in
        blob(packed.descriptor.digest).withPlatformString { lstat($0, &status) } == 0
      }
      if isThere != true { _ = file.withPlatformString { unlink($0) } }
    }
  }

  private func forEachFile(in folder: String, _ body: (FilePath) throws -> Void) throws {
    let top = path.appending(folder)
    for name in try DirectoryTree.names(in: top) {
      let directory = top.appending(name)
      for file in try DirectoryTree.names(in: directory) where Digest(hex: file) != nil {
        try body(directory.appending(file))
      }
    }
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ file: FilePath
  ) throws -> Value? {
    guard let bytes = try FileContent.readIfPresent(file) else { return nil }
    return try? JSONDecoder().decode(type, from: Data(bytes))
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
    try Self.decode(type, file(folder, key))
  }

  private func write(_ value: some Encodable, in folder: String, _ key: Digest) throws {
    let file = file(folder, key)
    try DirectoryTree.make(file.removingLastComponent(), mode: 0o755)
    try FileContent.replace(file, with: Array(JSONEncoder().encode(value)))
  }

  private func file(_ folder: String, _ key: Digest) -> FilePath {
    path.appending(folder).appending(String(key.hex.prefix(2))).appending(key.hex)
  }
}
