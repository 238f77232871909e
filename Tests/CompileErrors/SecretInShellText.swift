import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // error: 'appendInterpolation' is unavailable: shell text is stored in the image's history: write '\(pathOf: secret)' and let the command read that file
    Run("curl -H \(token) https://example.org")
  }
}
