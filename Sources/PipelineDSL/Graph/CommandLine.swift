/// What a command-like instruction runs: text for a shell, or a vector of arguments.
public enum CommandLine: Hashable, Sendable {
  /// Text for the stage's shell, continuation lines joined as BuildKit joins them. Where the text
  /// uses here-documents, `<<NAME` words stay in it and the bodies stand in the instruction.
  case shell(String)
  /// The JSON form: run as it is, no shell.
  case exec([String])
}
