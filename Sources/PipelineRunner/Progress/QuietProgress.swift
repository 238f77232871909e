import PipelineDSL

/// Says nothing.
struct QuietProgress: ProgressRenderer {
  func handle(_ event: BuildEvent) {}
}
