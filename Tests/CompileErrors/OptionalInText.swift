import PipelineDSL

func image() -> Stage {
  let options: String? = nil
  return Stage(from: .image("gcc:14")) {
    // error: value of optional type 'String?' must be unwrapped to a value of type 'String'
    Run("make \(options)")
  }
}
