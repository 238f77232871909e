import PipelineDSL

func image() -> Stage {
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) {
    // error: cannot find 'bulid' in scope
    Copy(bulid.executable("/app"), to: "/app")
  }
}
