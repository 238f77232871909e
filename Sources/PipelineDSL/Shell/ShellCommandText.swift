/// The finished text of a command, and how a `RUN` has to hold it.
struct ShellCommandText: Sendable {
  let text: String
  /// The text as the program's author laid it out, with a letter for each value.
  let skeleton: String
  /// Whether an unquoted `|` connects commands.
  let hasPipes: Bool
  /// Whether values in the text are quoted as a POSIX shell reads them.
  let hasValues: Bool

  /// Whether the text is a script: several lines, whatever the values in it are.
  var isScript: Bool { skeleton.utf8.contains(UInt8(ascii: "\n")) }

  /// Whether the text cannot stand behind `RUN` as it is, although it may have one line only.
  var needsHeredoc: Bool {
    text.utf8.contains(UInt8(ascii: "\n")) || text.utf8.last == UInt8(ascii: "\\")
      || ShellTextLayout(escape: "\\", width: 96).refusal(of: text) != nil
      || !HeredocWord.all(in: "RUN " + text).isEmpty
  }

  /// The text as a shell command, in a here-document where it needs one.
  ///
  /// No `&&` holds the lines of a script together, so a script starts with `set -eu` (W10).
  func instruction(for shell: ShellFlavor) -> RunInstruction {
    guard isScript || needsHeredoc else { return RunInstruction(.shell(text)) }
    let heredoc = Heredoc(script: (isScript ? preamble(for: shell) : "") + text + "\n")
    return RunInstruction(.shell("<<" + heredoc.name), heredocs: [heredoc])
  }

  private func preamble(for shell: ShellFlavor) -> String {
    if text.hasPrefix("#!") { return "" }
    switch shell {
    case .pipefail: return "set -euo pipefail\n"
    // dash ends at an option that it does not know, hence the subshell that tries it.
    case .posix where hasPipes:
      return "set -eu\n(set -o pipefail) 2>/dev/null && set -o pipefail\n"
    case .posix: return "set -eu\n"
    case .other: return ""
    }
  }
}
