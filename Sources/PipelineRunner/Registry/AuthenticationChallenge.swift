/// What a server that answers 401 asks for (RFC 9110 section 11, distribution's token scheme).
enum AuthenticationChallenge: Hashable, Sendable {
  case basic
  /// A token from `realm`.
  case bearer(realm: String, service: String?, scope: String?)

  /// The strongest challenge that this program can answer, among all headers of the answer.
  static func preferred(among headers: [String]) -> AuthenticationChallenge? {
    let all = headers.flatMap(parse)
    return all.first { if case .bearer = $0 { true } else { false } } ?? all.first
  }

  /// Reads one `WWW-Authenticate` header, which may hold several challenges.
  static func parse(_ header: String) -> [AuthenticationChallenge] {
    var scanner = Scanner(bytes: Array(header.utf8))
    var challenges: [AuthenticationChallenge] = []
    while let scheme = scanner.scheme() {
      let parameters = scanner.parameters()
      switch scheme {
      case "basic": challenges.append(.basic)
      case "bearer":
        guard let realm = parameters["realm"] else { continue }
        challenges.append(
          .bearer(realm: realm, service: parameters["service"], scope: parameters["scope"]))
      default: continue
      }
    }
    return challenges
  }

  private struct Scanner {
    var bytes: [UInt8]
    var index = 0

    mutating func skip(_ characters: String) {
      while index < bytes.count, characters.utf8.contains(bytes[index]) { index += 1 }
    }

    mutating func token() -> String {
      let start = index
      while index < bytes.count, !" \t,=\"".utf8.contains(bytes[index]) { index += 1 }
      return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    mutating func scheme() -> String? {
      skip(" \t,")
      let name = token().lowercased()
      return name.isEmpty ? nil : name
    }

    /// `name=value` pairs up to the next scheme, which is a word without `=`.
    mutating func parameters() -> [String: String] {
      var parameters: [String: String] = [:]
      while true {
        let start = index
        skip(" \t,")
        let name = token().lowercased()
        skip(" \t")
        guard !name.isEmpty, index < bytes.count, bytes[index] == UInt8(ascii: "=") else {
          index = start
          return parameters
        }
        index += 1
        skip(" \t")
        parameters[name] = value()
      }
    }

    private mutating func value() -> String {
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return token() }
      index += 1
      var text: [UInt8] = []
      while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
        if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count { index += 1 }
        text.append(bytes[index])
        index += 1
      }
      index += 1
      return String(decoding: text, as: UTF8.self)
    }
  }
}
