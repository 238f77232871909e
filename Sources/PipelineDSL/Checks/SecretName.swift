/// Tells names that announce a secret, such as `API_TOKEN`.
package enum SecretName {
  /// Whether a word of the name says that it is a secret, and none that it is not.
  package static func matches(_ name: String) -> Bool {
    let words = Set(name.lowercased().split(separator: "_").map(String.init))
    return !words.isDisjoint(with: secrets) && words.isDisjoint(with: harmless)
  }

  private static let secrets: Set = [
    "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret",
    "token",
  ]
  private static let harmless: Set = ["public", "file", "version"]
}
