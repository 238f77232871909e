import PipelineDSL

func image() -> Stage {
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) {
    // warning: 'appendInterpolation' is deprecated: plain text cannot mount an artifact: interpolate it into the text of 'Run', or write 'artifact.path' for the path it has where it was made
    Entrypoint("\(build.executable("/app"))")
  }
}
