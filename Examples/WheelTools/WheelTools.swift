import PipelineDSL
import PipelineRunner
import WheelTemplate

/// A tool that lists network interfaces, compiled by the same template as LightPython's package.
@main
struct WheelTools: ContainerImage {
  var contextDirectory: String { Self.sourceDirectory() }

  func image() -> Stage {
    let pip = Pip()
    let wheels = OutputStage(
      "tools", CompiledWheels(of: "tools.txt", on: .image("python:3"), with: pip))

    return Stage(from: .image("python:3-slim")) {
      Copy(wheels.cache, to: "/root/.cache")
      Copy(wheels.requirements, to: "/requirements.txt")
      Run("\(pip.install("/requirements.txt")) && rm -rf /root/.cache")
      Entrypoint("python3", "-c", "import netifaces; print(*netifaces.interfaces())")
    }
  }
}
