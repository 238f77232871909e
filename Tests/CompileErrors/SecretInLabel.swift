import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // error: 'init(_:_:)' is unavailable: a secret would be stored in the image, where anybody can read it
    Label("token", token)
  }
}
