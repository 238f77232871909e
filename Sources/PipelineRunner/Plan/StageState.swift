import PipelineDSL

/// A stage while its instructions are taken one after the other.
struct StageState: Sendable {
  var name: String
  var root: TreeReference
  var platform: Platform
  var configuration: ImageConfiguration
  /// The config part that instructions change; it becomes `configuration.config` at the end.
  var execution: ImageConfiguration.Execution
  /// Variables as commands and expansion see them: the image's, then `ENV` and `ARG` in order.
  ///
  /// A later `ARG` hides an `ENV` of the same name here and not in the image's config (X3).
  var environment: VariableList
  /// Declared build arguments, for the history's `|N` part.
  var arguments: [(name: String, value: String?)] = []
  var history: [PlannedHistory] = []
  /// Whether the stage itself has set CMD, so that ENTRYPOINT leaves it alone (M2).
  var setsCommand = false
  /// The operations of the stage itself, for numbering.
  var operations: [OperationID] = []

  /// The working directory, absolute and cleaned; the config has it as it was written (M1).
  var workingDirectory: String { PathText.join("/", execution.workingDirectory ?? "") }

  var user: String { execution.user ?? "" }

  /// The words before a shell command's text.
  var shell: [String] {
    guard let shell = execution.shell, !shell.isEmpty else { return ["/bin/sh", "-c"] }
    return shell
  }

  /// The argument vector of a command line.
  func arguments(of command: CommandLine) -> [String] {
    switch command {
    case .shell(let text): shell + [text]
    case .exec(let arguments): arguments
    }
  }
}

/// Variables in order, each name once; setting one again moves it to the end, as BuildKit's
/// `EnvList.AddOrReplace` does.
struct VariableList: Hashable, Sendable {
  private(set) var all: [Variable] = []

  struct Variable: Hashable, Sendable {
    var name: String
    var value: String
  }

  init() {}

  /// Reads `NAME=value` strings; one without `=` has an empty value.
  init(_ strings: [String]) {
    for string in strings {
      let (name, value) = string.splitAtEqualsSign
      set(name, value)
    }
  }

  subscript(name: String) -> String? {
    all.last { $0.name == name }?.value
  }

  mutating func set(_ name: String, _ value: String) {
    all.removeAll { $0.name == name }
    all.append(Variable(name: name, value: value))
  }

  var strings: [String] { all.map { "\($0.name)=\($0.value)" } }
}

extension String {
  /// The parts before and after the first `=`.
  var splitAtEqualsSign: (name: String, value: String) {
    guard let index = firstIndex(of: "=") else { return (self, "") }
    return (String(self[..<index]), String(self[self.index(after: index)...]))
  }
}
