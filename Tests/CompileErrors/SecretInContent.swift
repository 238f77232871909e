import PipelineDSL

func image() -> Stage {
  let token = Secret("token")
  return Stage(from: .image("alpine:3")) {
    // warning: 'appendInterpolation' is deprecated: the program does not know the secret's value: mount it with '.reading(secret)', or write 'secret.path' for the file it is in
    Copy(content: "token=\(token)\n", to: "/etc/token")
  }
}
