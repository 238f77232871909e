import PipelineDSL

func image() -> Stage {
  // error: use of local variable 'build' before its declaration
  let build = Stage(from: build) { Run("make") }
  return build
}
