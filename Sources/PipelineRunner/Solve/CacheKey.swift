/// The inputs of an operation as an ordered list of named parts, and the digest they come to.
///
/// The list is kept with the result, so that a miss can be explained by its first part that
/// differs (cache.md K2).
struct CacheKey: Hashable, Sendable {
  struct Part: Hashable, Sendable, Codable {
    var label: String
    var value: String

    init(_ label: String, _ value: String) {
      self.label = label
      self.value = value
    }

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      label = try container.decode(String.self)
      value = try container.decode(String.self)
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.unkeyedContainer()
      try container.encode(label)
      try container.encode(value)
    }
  }

  /// Raised whenever equal parts would lead to another result than before.
  static let formatVersion = "1"

  private(set) var parts: [Part]

  init(_ kind: String) {
    parts = [Part("kind", kind), Part("format", Self.formatVersion)]
  }

  mutating func add(_ label: String, _ value: String) {
    parts.append(Part(label, value))
  }

  mutating func add(_ label: String, _ values: [String]) {
    add(label, GoText.json(values))
  }

  /// The digest of all parts, each field preceded by its length, so that no two lists of parts
  /// have one encoding (K10).
  var digest: Digest {
    var bytes: [UInt8] = []
    for part in parts {
      for text in [part.label, part.value] {
        let utf8 = Array(text.utf8)
        withUnsafeBytes(of: UInt64(utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += utf8
      }
    }
    return SHA256Hasher.digest(of: bytes)
  }

  /// The first difference to an earlier list, in words for a person.
  func difference(from earlier: [Part]) -> String? {
    for part in parts {
      guard let old = earlier.first(where: { $0.label == part.label }) else {
        return "\(part.label) is new"
      }
      guard old.value != part.value else { continue }
      let isShort = old.value.utf8.count <= 40 && part.value.utf8.count <= 40
      return isShort && !old.value.hasPrefix("sha256:")
        ? "\(part.label) \(old.value) → \(part.value)" : "\(part.label) changed"
    }
    let labels = Set(parts.map(\.label))
    return earlier.first { !labels.contains($0.label) }.map { "\($0.label) is gone" }
  }
}
