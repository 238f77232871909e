/// Makes identifiers of the names in a Dockerfile.
enum SwiftIdentifier {
  /// Words that cannot be used, or that mean something else in a declaration.
  static let reserved: Set<String> = [
    "", "arguments", "as", "associatedtype", "await", "break", "case", "catch", "class",
    "contextDirectory", "contexts", "continue", "default", "defer", "deinit", "do", "else", "enum",
    "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "image",
    "import", "in", "init", "inout", "internal", "is", "let", "name", "nil", "operator", "package",
    "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "self",
    "sourceDateEpoch", "static", "struct", "subscript", "super", "switch", "throw", "throws",
    "true", "try", "typealias", "var", "where", "while", "print", "stages",
  ]

  /// A name as words run together, one that nothing else has.
  static func unused(for name: String, taken: inout Set<String>) -> String {
    let isShouted = !name.utf8.contains { (97...122).contains($0) }
    let words = (isShouted ? name.lowercased() : name).split { character in
      !(character.isASCII && (character.isLetter || character.isNumber))
    }
    var identifier = ""
    for (index, word) in words.enumerated() {
      identifier += index == 0 ? word : word.prefix(1).uppercased() + word.dropFirst()
    }
    if identifier.first?.isNumber == true { identifier = "value" + identifier }
    let base =
      taken.contains(identifier) ? identifier + (isShouted ? "Argument" : "Stage") : identifier
    var unique = base
    var count = 2
    while !taken.insert(unique).inserted {
      unique = base + String(count)
      count += 1
    }
    return unique
  }
}
