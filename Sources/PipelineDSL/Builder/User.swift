/// Chooses who the following steps and the container run as: `USER`.
///
/// ```swift
/// User("app")
/// User("app", group: "www-data")
/// User(id: 1000, group: 1000)
/// ```
public struct User: SingleStep {
  private var word: Word

  /// Takes a user, and a group if any, by name.
  public init(_ name: Word, group: Word? = nil) {
    guard let group else {
      word = name
      return
    }
    word = Word(raw: "\(name.raw):\(group.raw)")
    word.references = name.references + group.references
  }

  /// Takes a user, and a group if any, by number.
  public init(id: UInt32, group: UInt32? = nil) {
    word = Word(literal: "\(id)" + (group.map { ":\($0)" } ?? ""))
  }

  public var step: Step { Step(.user(word)) }
}
