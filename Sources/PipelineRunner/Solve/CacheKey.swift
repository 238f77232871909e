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

  /// A part that is not what it was.
  struct Difference: Hashable, Sendable {
    var label: String
    /// What the part says; for the content of files, the files.
    var subject: String
    /// The difference in words for a person.
    var text: String
  }

  /// The first difference to an earlier list.
  func firstDifference(from earlier: [Part]) -> Difference? {
    for part in parts {
      guard let old = earlier.first(where: { $0.label == part.label }) else {
        return difference(part.label, "is new")
      }
      guard old.value != part.value else { continue }
      let isReadable = !old.value.hasPrefix("sha256:") && !old.value.contains("[\"sha256:")
      guard isReadable else { return difference(part.label, "changed") }
      let (before, after) = Self.cut(old.value, part.value)
      return difference(part.label, "\(before) → \(after)")
    }
    let labels = Set(parts.map(\.label))
    return earlier.first { !labels.contains($0.label) }.map { difference($0.label, "is gone") }
  }

  private func difference(_ label: String, _ what: String) -> Difference {
    let content = "content of "
    let subject = label.hasPrefix(content) ? String(label.dropFirst(content.count)) : label
    return Difference(label: label, subject: subject, text: "\(subject) \(what)")
  }

  /// Two texts from shortly before where they part, at most 60 characters of each.
  private static func cut(_ old: String, _ new: String) -> (String, String) {
    let common = zip(old, new).prefix { $0 == $1 }.count
    func part(_ text: String) -> String {
      guard text.count > 60 else { return text.isEmpty ? "nothing" : text }
      let start = max(0, common - 20)
      let shown = text.dropFirst(start).prefix(60)
      return (start > 0 ? "…" : "") + shown + (start + shown.count < text.count ? "…" : "")
    }
    return (part(old), part(new))
  }
}
