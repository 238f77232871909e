import PipelineDSL

func image() -> Stage {
  let build = Stage(from: .image("gcc:14")) { Run("make") }
  return Stage(from: .scratch) {
    Copy(build.directory("/out"), to: "/out")
    // error: cannot convert value of type 'Artifact<Directory>' to expected argument type 'Artifact<Executable>'
    Entrypoint(build.directory("/out"))
  }
}
