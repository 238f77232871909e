import FoundationEssentials
import PipelineDSL
import SystemPackage

/// What every tag, URL and branch of a build stood for when it was last updated: the content of
/// `Image.lock`.
///
/// It is text that is kept with the sources, so that a change of a base shows in a review.
struct LockFile: Codable, Hashable, Sendable {
  /// Raised when older programs would read the file wrongly.
  static let currentVersion = 1

  var version = Self.currentVersion
  /// The digest of the manifest by normalised reference and platform.
  var images: [String: [String: Digest]] = [:]
  /// The digest of the file by URL.
  var downloads: [String: Digest] = [:]
  /// The commit by repository and ref.
  var commits: [String: String] = [:]

  enum CodingKeys: String, CodingKey {
    case version
    case images
    case downloads
    case commits
  }

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    version = try container.decode(Int.self, forKey: .version)
    images = try container.decodeIfPresent([String: [String: Digest]].self, forKey: .images) ?? [:]
    downloads = try container.decodeIfPresent([String: Digest].self, forKey: .downloads) ?? [:]
    commits = try container.decodeIfPresent([String: String].self, forKey: .commits) ?? [:]
  }

  /// Leaves out what is empty.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(version, forKey: .version)
    if !images.isEmpty { try container.encode(images, forKey: .images) }
    if !downloads.isEmpty { try container.encode(downloads, forKey: .downloads) }
    if !commits.isEmpty { try container.encode(commits, forKey: .commits) }
  }

  /// Reads the file; nil where there is none.
  ///
  /// - Throws: a diagnostic for a file of a newer version, or one that was edited wrongly.
  static func read(_ path: FilePath) throws -> LockFile? {
    guard let bytes = try FileContent.readIfPresent(path) else { return nil }
    let lock = try ManifestDocument.decode(LockFile.self, bytes, "the lock file '\(path)'")
    guard lock.version == currentVersion else {
      throw Diagnostic(
        "the lock file '\(path)' has version \(lock.version); this program reads \(currentVersion)",
        help: "update the program, or make the file again with 'update'")
    }
    return lock
  }

  func write(to path: FilePath) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    try FileContent.replace(path, with: Array(try encoder.encode(self)) + [UInt8(ascii: "\n")])
  }

  // MARK: - Names

  /// How an image is called in the file.
  static func key(ofImage reference: String) -> String {
    (try? RegistryReference(reference)).map { "\($0)" } ?? reference
  }

  /// How a source of `ADD` is called; without a password that stands in it (threat 22).
  static func key(of source: RemoteSource) -> String {
    switch source {
    case .file(let url, _): RemoteSource.withoutPassword(url)
    case .git(let git):
      RemoteSource.withoutPassword(git.remote) + (git.reference.map { "#\($0)" } ?? "")
    }
  }

  // MARK: - Changes

  /// What differs from an earlier file, a line each; empty where nothing does.
  func changes(from old: LockFile) -> [String] {
    func lines<Value: Equatable>(
      _ new: [String: Value], _ old: [String: Value], _ text: (Value) -> String
    ) -> [String] {
      Set(new.keys).union(old.keys).sorted().compactMap { name in
        switch (old[name], new[name]) {
        case (nil, let value?): "+ \(name)  \(text(value))"
        case (let value?, nil): "- \(name)  \(text(value))"
        case (let before?, let after?) where before != after:
          "  \(name)  \(text(before)) → \(text(after))"
        default: nil
        }
      }
    }
    func flat(_ images: [String: [String: Digest]]) -> [String: Digest] {
      var result: [String: Digest] = [:]
      for (name, platforms) in images {
        for (platform, digest) in platforms { result["\(name)  \(platform)"] = digest }
      }
      return result
    }
    func short(_ digest: Digest) -> String { "sha256:\(digest.hex.prefix(12))" }
    return lines(flat(images), flat(old.images), short)
      + lines(downloads, old.downloads, short)
      + lines(commits, old.commits) { String($0.prefix(12)) }
  }
}
