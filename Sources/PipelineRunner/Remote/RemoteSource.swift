import PipelineDSL

/// A source of `ADD` that is fetched (C13, C14).
enum RemoteSource: Hashable, Sendable {
  /// A file behind a URL; `checksum` is `algorithm:digits` as written.
  case file(url: String, checksum: String?)
  case git(GitSource)

  /// Reads a source of `ADD`; nil where it is a path in the build context.
  ///
  /// - Throws: a diagnostic for flags that do not go with the source.
  init?(_ text: String, checksum: String?, keepsGitDirectory: Bool) throws(Diagnostic) {
    if let git = try GitSource(
      text, checksum: checksum, keepsGitDirectory: keepsGitDirectory ? true : nil)
    {
      self = .git(git)
      return
    }
    guard text.hasPrefix("http://") || text.hasPrefix("https://") else { return nil }
    if let checksum, Digest(checksum) == nil {
      throw Diagnostic(
        "'\(checksum)' is no checksum of a download",
        help: "write 'sha256:' and 64 lower-case hexadecimal digits")
    }
    self = .file(url: text, checksum: checksum)
  }

  /// Whether COPY has to refuse a source: it takes no URLs.
  static func isRemote(_ text: String) -> Bool {
    ["http://", "https://", "git://", "ssh://", "git@"].contains { text.hasPrefix($0) }
  }

  /// What fetching it is called in progress and plans.
  var title: String {
    switch self {
    case .file(let url, _): "fetch \(Self.withoutPassword(url))"
    case .git(let git):
      "fetch \(Self.withoutPassword(git.remote))\(git.reference.map { "#\($0)" } ?? "")"
    }
  }

  /// A text without what stands between `//` and `@` in it: credentials belong in no message, no
  /// history and no log.
  static func withoutPassword(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
      guard let slash = word.firstIndex(of: "/"), word[slash...].hasPrefix("//") else {
        return String(word)
      }
      let host = word.index(slash, offsetBy: 2)
      let end = word[host...].firstIndex(of: "/") ?? word.endIndex
      guard let sign = word[host..<end].lastIndex(of: "@") else { return String(word) }
      return String(word[..<host] + word[word.index(after: sign)...])
    }.joined(separator: " ")
  }

  /// The name that a downloaded file gets: the last part of the URL's path.
  static func fileName(of url: String) -> String {
    var rest = url[...]
    if let end = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<end] }
    // "https:", the host, then the path.
    let parts = rest.split(separator: "/", omittingEmptySubsequences: true)
    let path = decoded(parts.dropFirst(2).joined(separator: "/")[...])
    guard let last = path.split(separator: "/").last, last != ".", last != ".." else {
      return "__unnamed__"
    }
    return String(last)
  }

  /// Percent escapes replaced; one that is malformed stays as it is.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard byte == UInt8(ascii: "%"), digits.utf8.count == 2,
        let value = UInt8(digits, radix: 16), value != 0
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
