/// Who owns copied files: `--chown`.
///
/// Names are looked up in the stage that the files land in.
///
/// ```swift
/// Copy("site", to: "/var/www").owned(by: .user("www-data", group: "www-data"))
/// Copy("app", to: "/app").owned(by: .id(1000))
/// ```
public struct Owner: Hashable, Sendable {
  let word: Word
  /// Linked copies land on an empty root, where no name can be looked up (X7).
  let isNumeric: Bool

  /// Numeric ids; without a group the group has the user's number (C8).
  public static func id(_ user: UInt32, group: UInt32? = nil) -> Owner {
    Owner(
      word: Word(literal: "\(user)" + (group.map { ":\($0)" } ?? "")), isNumeric: true)
  }

  /// Names, or names and numbers mixed.
  public static func user(_ name: String, group: String? = nil) -> Owner {
    Owner(word: Word(literal: name + (group.map { ":" + $0 } ?? "")), isNumeric: false)
  }

  /// A value with variables, as in `.spelled("\(Variable("APP_USER"))")`.
  public static func spelled(_ word: Word) -> Owner {
    Owner(word: word, isNumeric: true)
  }
}
