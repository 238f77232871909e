import Glibc
import SystemPackage

/// Something in the store that can be used, and removed when nobody uses it.
struct StoreEntry: Hashable, Sendable {
  enum Kind: String, CaseIterable, Hashable, Sendable {
    case layer
    case blob
    case cache
  }

  var kind: Kind
  var digest: Digest

  static func layer(_ layer: LayerID) -> StoreEntry {
    StoreEntry(kind: .layer, digest: layer.digest)
  }

  static func blob(_ digest: Digest) -> StoreEntry { StoreEntry(kind: .blob, digest: digest) }
  static func cache(_ digest: Digest) -> StoreEntry { StoreEntry(kind: .cache, digest: digest) }
}

extension StoreEntry: CustomStringConvertible {
  /// The entry as a line of a lease.
  var description: String { "\(kind.rawValue) \(digest.hex)" }

  init?(line: some StringProtocol) {
    let words = line.split(separator: " ")
    guard words.count == 2, let kind = Kind(rawValue: String(words[0])),
      let digest = Digest(hex: words[1])
    else { return nil }
    self.init(kind: kind, digest: digest)
  }
}

extension Store {
  /// Where an entry is, whether or not it is there.
  func path(of entry: StoreEntry) -> FilePath { FilePath(location(of: entry)) }

  /// The path of an entry as text.
  func location(of entry: StoreEntry) -> String {
    switch entry.kind {
    case .layer: "\(text)/layers/\(entry.digest.hex)"
    case .blob: "\(text)/blobs/\(entry.digest.hex)"
    case .cache: "\(text)/caches/\(entry.digest.hex)"
    }
  }

  /// What carries the time of an entry's last use.
  func mark(of entry: StoreEntry) -> String {
    entry.kind == .layer ? "\(location(of: entry))/info" : location(of: entry)
  }
}
