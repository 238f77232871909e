import PipelineDSL

/// The full name of an image in a registry, as docker reads it: `python:3` means
/// `docker.io/library/python:3`.
///
/// The grammar is that of the distribution project's reference package.
struct RegistryReference: Hashable, Sendable {
  /// A host with an optional port; `docker.io` where none was written.
  var registry: String
  /// Lower-case components joined by `/`.
  var repository: String
  /// `latest` where neither a tag nor a digest was written.
  var tag: String?
  var digest: Digest?

  /// Reads a reference.
  ///
  /// - Throws: a diagnostic that says which part is wrong.
  init(_ text: String) throws(Diagnostic) {
    var rest = text[...]
    if let sign = rest.lastIndex(of: "@") {
      let part = rest[rest.index(after: sign)...]
      guard let digest = Digest(part) else {
        throw Self.invalid(
          text, "'\(part)' is not a digest: write 'sha256:' and 64 lower-case hexadecimal digits")
      }
      self.digest = digest
      rest = rest[..<sign]
    }
    if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
      let tag = rest[rest.index(after: colon)...]
      guard Self.isTag(tag) else {
        throw Self.invalid(
          text, "a tag has at most 128 letters, digits, '.', '_' and '-', and starts with no '.'")
      }
      self.tag = String(tag)
      rest = rest[..<colon]
    }
    var components = rest.split(separator: "/", omittingEmptySubsequences: false)
    registry = "docker.io"
    if components.count > 1, Self.isHost(components[0]) {
      registry = String(components.removeFirst())
      guard Self.isWellFormedHost(registry) else {
        throw Self.invalid(text, "'\(registry)' is no host")
      }
      if registry == "index.docker.io" { registry = "docker.io" }
    }
    guard components.allSatisfy(Self.isComponent) else {
      let hasCapitals = components.contains { $0.utf8.contains { (65...90).contains($0) } }
      throw Self.invalid(
        text,
        hasCapitals
          ? "a repository name has no capital letters"
          : "a repository name has small letters and digits, with single '.', '_', '/' or '-' between"
      )
    }
    repository = components.joined(separator: "/")
    guard repository.utf8.count <= 255 else {
      throw Self.invalid(text, "a repository name has at most 255 characters")
    }
    if registry == "docker.io", components.count == 1 { repository = "library/\(repository)" }
    if tag == nil && digest == nil { tag = "latest" }
  }

  /// The reference with a digest, where it has none of its own.
  func pinned(to digest: Digest?) -> RegistryReference {
    var result = self
    if result.digest == nil { result.digest = digest }
    return result
  }

  private static func invalid(_ text: String, _ why: String) -> Diagnostic {
    Diagnostic("'\(text)' is not an image reference: \(why)")
  }

  /// The rule by which docker tells a host from the first part of a repository.
  private static func isHost(_ part: Substring) -> Bool {
    part.contains(".") || part.contains(":") || part == "localhost"
      || part.utf8.contains { (65...90).contains($0) }
  }

  private static func isWellFormedHost(_ host: String) -> Bool {
    !host.isEmpty
      && host.utf8.allSatisfy {
        isAlphanumeric($0) || (65...90).contains($0) || ".-:[]".utf8.contains($0)
      }
  }

  private static func isTag(_ tag: Substring) -> Bool {
    guard let first = tag.utf8.first, tag.utf8.count <= 128 else { return false }
    func isWord(_ byte: UInt8) -> Bool {
      isAlphanumeric(byte) || (65...90).contains(byte) || byte == UInt8(ascii: "_")
    }
    return isWord(first) && tag.utf8.allSatisfy { isWord($0) || ".-".utf8.contains($0) }
  }

  /// Alphanumeric runs, with `.`, `_`, `__` or any number of `-` between them.
  private static func isComponent(_ part: Substring) -> Bool {
    guard let first = part.utf8.first, let last = part.utf8.last, isAlphanumeric(first),
      isAlphanumeric(last)
    else { return false }
    var separator: [UInt8] = []
    for byte in part.utf8 {
      guard isAlphanumeric(byte) else {
        separator.append(byte)
        continue
      }
      let isAllowed =
        separator.isEmpty || separator == Array(".".utf8) || separator == Array("_".utf8)
        || separator == Array("__".utf8) || separator.allSatisfy { $0 == UInt8(ascii: "-") }
      guard isAllowed else { return false }
      separator = []
    }
    return true
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (48...57).contains(byte)
  }
}

extension RegistryReference: CustomStringConvertible {
  var description: String {
    "\(registry)/\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
  }
}

extension RegistryReference {
  /// The name as docker shows it: without the registry, the folder and the tag that go without
  /// saying.
  var familiarName: String {
    var name = registry == "docker.io" ? repository : "\(registry)/\(repository)"
    if registry == "docker.io", repository.hasPrefix("library/") {
      name = String(repository.dropFirst("library/".count))
    }
    if let tag, tag != "latest" || digest != nil { name += ":\(tag)" }
    if let digest { name += "@\(digest)" }
    return name
  }
}
