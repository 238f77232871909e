import PipelineDSL

func image() -> Stage {
  Stage(from: .image("gcc:14")) {
    // error: 'buildExpression' is unavailable: text is not a step: write 'Run("…")'
    "make"
  }
}
