import PipelineDSL

func image() -> Stage {
  // warning: initialization of immutable value 'build' was never used; consider replacing with assignment to '_' or removing it
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) { Copy("app", to: "/app") }
}
