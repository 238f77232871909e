import PipelineDSL
import PipelineRunner

/// A web server in C: compiled statically, tested, delivered without compiler, shell or root.
///
/// ```
/// swift run Service build --build-arg VERSION=1.0        the image
/// swift run Service build --target test -o type=local,dest=report
/// ```
@main
struct Service: ContainerImage {
  var contextDirectory: String { Self.sourceDirectory() }

  func image() -> Stage {
    let version = BuildArgument("VERSION", default: "dev")
    let build = Stage("build", from: .image("gcc:14")) {
      WorkingDirectory("/src")
      Copy("server.c", to: "./")
      Run("gcc -std=gnu11 -O2 -Wall -Werror -static -DVERSION=\(version) -o /server server.c")
    }

    let test = Stage("test", from: build) {
      Run(
        """
        /server 8080 &
        for attempt in 1 2 3 4 5; do
          if /server --check 8080 > /report; then exit 0; fi
          sleep 1
        done
        exit 1
        """)
    }

    let server = build.executable("/server")
    return Stage("service", from: .scratch) {
      Copy(server, to: "/usr/bin/server")
      Label("org.opencontainers.image.version", "\(version)")
      User(id: 65534)
      Expose(8080)
      Healthcheck(
        arguments: ["/usr/bin/server", "--check", "8080"], every: .seconds(30), retries: 3)
      Entrypoint(server, "8080")
    }.alongside(test)
  }
}
