import PipelineDSL

func image() -> Stage {
  Stage(from: .scratch) {
    // error: 'buildExpression' is unavailable: a stage does not hold stages: bind it with 'let' outside and copy from it here
    Stage(from: .image("gcc:14")) { Run("make") }
  }
}
