import PipelineDSL

func image() -> Stage {
  // error: 'init(_:from:platform:steps:)' is unavailable: text names neither a stage nor an image by itself: write 'from: .image("…")' for an image, or the identifier of a stage, as in 'from: build'
  Stage(from: "python:3") {
    Run("pip install flask")
  }
}
