import PipelineDSL

func image() -> Stage {
  Stage(from: .image("gcc:14")) {
    // error: value of type 'Env' has no member 'linked'
    Env("A", "b").linked()
    Copy("a", to: "/a").mounting(Cache("x"))
  }
}
