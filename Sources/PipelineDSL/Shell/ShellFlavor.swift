/// What a stage's shell understands.
enum ShellFlavor: Sendable {
  /// `/bin/sh`, which may be dash, BusyBox or bash.
  case posix
  /// A shell that is known to have `set -o pipefail`.
  case pipefail
  /// Another language.
  case other

  /// Judges a shell by its program's name.
  init(_ arguments: [String]) {
    let name = arguments.first?.split(separator: "/").last ?? ""
    switch name {
    case "sh", "ash", "dash", "busybox": self = .posix
    case "bash", "zsh", "ksh", "mksh": self = .pipefail
    default: self = .other
    }
  }

  /// Judges text by its first line where that is `#!` and an interpreter; nil where it is not.
  init?(script: String) {
    let text = script.drop { $0.isWhitespace }
    guard text.hasPrefix("#!") else { return nil }
    let words = text.dropFirst(2).prefix { !$0.isNewline }.split(separator: " ").map(String.init)
    let isSearched = words.first?.hasSuffix("/env") ?? false
    self.init(isSearched ? Array(words.dropFirst().drop { $0.hasPrefix("-") }) : words)
  }
}
