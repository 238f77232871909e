import PipelineDSL
import PipelineRunner

/// An image made of one static program, with neither network nor registry.
///
/// Debian's `busybox-static` puts that program at `/bin/busybox`.
@main
struct MyImage: ContainerImage {
  func image() -> Stage {
    let host = BuildContext("host-bin", directory: "/bin")
    return Stage(from: .scratch) {
      Copy(host.executable("busybox"), to: "/bin/busybox")
      Run("/bin/busybox", "--install", "/bin")
      Run("echo 'Hello from my image' > /greeting")
      Command("cat", "/greeting")
    }
  }
}
