import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // error: 'init(_:_:)' is unavailable: a secret would be stored in the image: mount it with '.reading(secret, as:)'
    Env("TOKEN", token)
  }
}
