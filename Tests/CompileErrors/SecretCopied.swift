import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // error: 'init(_:to:)' is unavailable: a secret would be stored in the image: mount it with '.reading(secret)' of 'Run'
    Copy(token, to: "/etc/token")
  }
}
