/// Collects the steps of a stage, with `if`, `switch` and `for` as anywhere in Swift.
///
/// All parts have one concrete type and a block takes any number of them, which keeps
/// type-checking quick; and each expression's place in the source becomes the place of its steps,
/// so that no step has to ask for it.
@resultBuilder
public enum StepBuilder {
  public static func buildExpression(
    _ expression: some Steps, fileID: StaticString = #fileID, filePath: StaticString = #filePath,
    line: UInt = #line, column: UInt = #column
  ) -> [Step] {
    var steps = expression.steps
    for index in steps.indices where steps[index].location == nil {
      steps[index].location = SourceLocation(
        fileID: fileID, filePath: filePath, line: line, column: column)
    }
    return steps
  }

  @available(
    *, unavailable,
    message: "a stage does not hold stages: bind it with 'let' outside and copy from it here"
  )
  public static func buildExpression(_ stage: Stage) -> [Step] { [] }

  @available(*, unavailable, message: "text is not a step: write 'Run(\"…\")'")
  public static func buildExpression(_ text: String) -> [Step] { [] }

  public static func buildBlock(_ parts: [Step]...) -> [Step] { Array(parts.joined()) }

  public static func buildOptional(_ part: [Step]?) -> [Step] { part ?? [] }

  public static func buildEither(first part: [Step]) -> [Step] { part }

  public static func buildEither(second part: [Step]) -> [Step] { part }

  public static func buildArray(_ parts: [[Step]]) -> [Step] { Array(parts.joined()) }

  public static func buildLimitedAvailability(_ part: [Step]) -> [Step] { part }
}
