import PipelineDSL

func image() -> Stage {
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) {
    // error: 'appendInterpolation' is unavailable: nothing is mounted here: copy the artifact into the stage and write the path it has there
    Env("APP", "\(build.executable("/app"))")
  }
}
