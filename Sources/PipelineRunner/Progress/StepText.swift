import PipelineDSL

/// The words every renderer uses for an operation.
enum StepText {
  /// `[stage 2/4]`.
  static func name(_ operation: Operation) -> String {
    operation.number == 0
      ? "[\(operation.stage)]" : "[\(operation.stage) \(operation.number)/\(operation.count)]"
  }

  /// `  (File.swift:12)`, empty where nobody knows.
  static func place(_ operation: Operation) -> String {
    operation.location.map { "  (\($0.file):\($0.line))" } ?? ""
  }

  /// A stage that is not needed.
  static func line(_ stage: SkippedStage) -> String {
    "[\(stage.name)]\(stage.location.map { "  (\($0.file):\($0.line))" } ?? "")"
  }

  /// Name, instruction and place in one line.
  static func line(_ operation: Operation) -> String {
    "\(name(operation)) \(operation.title)\(place(operation))"
  }
}
