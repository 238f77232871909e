import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // error: 'appendInterpolation' is unavailable: a secret would be stored in the image: mount it with '.reading(secret)'
    Env("TOKEN", "bearer \(token)")
  }
}
