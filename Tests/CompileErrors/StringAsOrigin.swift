import PipelineDSL

func image() -> Stage {
  Stage(from: .scratch) {
    // error: 'init(_:from:to:)' is unavailable: text names neither a stage nor an image by itself: write 'from: .image("…")' for an image, or the identifier of a stage, as in 'from: build'
    Copy("/app", from: "build", to: "/app")
  }
}
