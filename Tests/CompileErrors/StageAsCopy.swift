import PipelineDSL

func image() -> Stage {
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) {
    // error: 'init(_:to:)' is unavailable: say what to copy from it, as in 'Copy(build.directory("/out"), to: "/opt")'
    Copy(build, to: "/")
  }
}
