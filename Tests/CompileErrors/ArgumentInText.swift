import PipelineDSL

func image() -> Stage {
  let version = BuildArgument("VERSION")
  return Stage(from: .image("gcc:14")) {
    // warning: 'appendInterpolation' is deprecated: plain text cannot refer to a build argument: use it in the text of 'Run', in 'Env', 'Label' or in the name of a base image
    Copy(content: "\(version)\n", to: "/version")
  }
}
