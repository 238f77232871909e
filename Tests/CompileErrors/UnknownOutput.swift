import PipelineDSL

func image() -> Stage {
  let build = OutputStage(
    from: .image("gcc:14"),
    outputs: (app: Output.executable("/app"), docs: Output.directory("/docs"))
  ) {
    Run("make")
  }
  return Stage(from: .scratch) {
    // error: value of type 'OutputStage<(app: Output<Executable>, docs: Output<Directory>)>' has no dynamic member 'ap' using key path from root type '(app: Output<Executable>, docs: Output<Directory>)'
    // error: generic parameter 'Kind' could not be inferred
    Copy(build.ap, to: "/app")
  }
}
