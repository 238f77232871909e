import PipelineDSL
import PipelineRunner
import WheelTemplate

/// A Python package that needs gcc to build, in an image that has no gcc.
@main
struct LightPython: ContainerImage {
  var contextDirectory: String { Self.sourceDirectory() }

  func image() -> Stage {
    let pip = Pip()
    let wheels = OutputStage(
      "python-base", CompiledWheels(of: "requirements.txt", on: .image("python:3"), with: pip))

    return Stage(from: .image("python:3-alpine")) {
      Copy(wheels.cache, to: "/root/.cache")
      Copy(wheels.requirements, to: "/requirements.txt")
      Run("\(pip.install("/requirements.txt")) && rm -rf /root/.cache")
    }
  }
}
