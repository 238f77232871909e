import PipelineDSL

/// A commit of a git repository, as `ADD` names it: `URL#ref:subdirectory`, or with a query.
///
/// The rules are those of BuildKit's `util/gitutil` (C14 in the reference).
struct GitSource: Hashable, Sendable {
  /// What git is given to fetch from.
  var remote: String
  /// A branch, tag or commit; nil is the remote's HEAD.
  var reference: String?
  /// Below the repository's root, which `..` does not leave; empty is the root itself.
  var subdirectory = ""
  /// The digits that the commit has to start with.
  var checksum: String?
  var keepsGitDirectory = false
  var hasSubmodules = true

  /// Reads a source of `ADD`; nil where it is none of git.
  ///
  /// - Throws: a diagnostic for settings that contradict each other or that no repository has.
  init?(_ text: String, checksum: String?, keepsGitDirectory: Bool?) throws(Diagnostic) {
    guard let (address, query, fragment) = Self.split(text) else { return nil }
    remote = address
    if let fragment { try read(fragment: fragment) }
    if let query { try read(query: query, in: text) }
    if let checksum {
      if let own = self.checksum, own != checksum {
        throw Self.contradiction("checksum", own, checksum)
      }
      self.checksum = checksum
    }
    if let keepsGitDirectory { self.keepsGitDirectory = keepsGitDirectory }
    try check()
  }

  /// The address, its query and its fragment, where the text names a repository.
  private static func split(
    _ text: String
  ) -> (address: String, query: String?, fragment: String?)? {
    var address = text[...]
    var fragment: String?
    if let sign = address.firstIndex(of: "#") {
      fragment = String(address[address.index(after: sign)...])
      address = address[..<sign]
    }
    if address.hasPrefix("git@") {
      return address.contains(":") ? (String(address), nil, fragment) : nil
    }
    guard let scheme = address.range(ofText: "://") else { return nil }
    var query: String?
    if let sign = address.firstIndex(of: "?") {
      query = String(address[address.index(after: sign)...])
      address = address[..<sign]
    }
    switch address[..<scheme.lowerBound] {
    case "git", "ssh": return (String(address), query, fragment)
    case "http", "https":
      return address.hasSuffix(".git") ? (String(address), query, fragment) : nil
    default: return nil
    }
  }

  private mutating func read(fragment: String) throws(Diagnostic) {
    guard let colon = fragment.firstIndex(of: ":") else {
      reference = fragment.isEmpty ? nil : fragment
      return
    }
    reference = colon == fragment.startIndex ? nil : String(fragment[..<colon])
    subdirectory = String(fragment[fragment.index(after: colon)...])
  }

  private mutating func read(query: String, in text: String) throws(Diagnostic) {
    for field in query.split(separator: "&") {
      let (name, value) = String(field).splitAtEqualsSign
      switch name {
      case "ref", "branch", "tag":
        let named =
          name == "branch" ? "refs/heads/\(value)" : name == "tag" ? "refs/tags/\(value)" : value
        if let reference, reference != named { throw Self.contradiction("ref", reference, named) }
        reference = named
      case "subdir":
        if !subdirectory.isEmpty, subdirectory != value {
          throw Self.contradiction("subdirectory", subdirectory, value)
        }
        subdirectory = value
      case "checksum", "commit":
        if let checksum, checksum != value { throw Self.contradiction("checksum", checksum, value) }
        checksum = value
      case "keep-git-dir": keepsGitDirectory = value != "false" && value != "0"
      case "submodules": hasSubmodules = value != "false" && value != "0"
      default:
        throw Diagnostic("unexpected query '\(name)' in the git source '\(text)'")
      }
    }
  }

  /// Refuses what git would take for an option (threat 36).
  private func check() throws(Diagnostic) {
    if let reference, reference.hasPrefix("-") || reference.contains("..") {
      throw Diagnostic("'\(reference)' is no git reference")
    }
    if remote.hasPrefix("-") { throw Diagnostic("'\(remote)' is no git repository") }
    if let checksum {
      guard (1...64).contains(checksum.utf8.count),
        checksum.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
      else {
        throw Diagnostic(
          "'\(checksum)' is no commit", help: "write its hexadecimal digits, or the first of them")
      }
    }
  }

  private static func contradiction(_ what: String, _ one: String, _ other: String) -> Diagnostic {
    Diagnostic("the git source has two values for its \(what): '\(one)' and '\(other)'")
  }
}

extension Substring {
  /// Where another text first occurs.
  fileprivate func range(ofText text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) {
        return start..<index(start, offsetBy: text.count)
      }
      start = index(after: start)
    }
    return nil
  }
}
