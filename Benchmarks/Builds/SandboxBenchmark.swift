import Foundation

/// What a command costs beside its own work: `true` in a step of ours, under runc, crun and buildah,
/// on the same root file system.
struct SandboxBenchmark {
  let place: URL
  let pipeline: String
  static let count = 100

  private func path(_ name: String) -> String { place.appendingPathComponent(name).path }

  func run() throws {
    defer { clean() }
    try makeRoot()
    var ways: [(name: String, command: [String])] = []
    for runtime in ["runc", "crun"] where Shell.succeeds([runtime, "--version"]) {
      ways.append(
        ("\(runtime) run", [runtime, "run", "--bundle", path("bundle"), "benchmark-\(getpid())"]))
    }
    if Shell.succeeds(["buildah", "--version"]) {
      try Shell.run(buildah + ["from", "--quiet", "--name", "work", "scratch"])
      try Shell.run(buildah + ["add", "--quiet", "work", path("bundle/rootfs"), "/"])
      for (name, options) in [
        ("buildah run, runc", ["--runtime", "/usr/sbin/runc"]),
        ("buildah run, chroot", ["--isolation", "chroot"]),
      ] {
        ways.append(
          (
            name,
            buildah + ["run"] + options + [
              "--network", "host", "work", "--", "/bin/sh", "-c", "true",
            ]
          ))
      }
    }
    // Ours before and after the others, so that a load that comes or goes is in it too.
    var ours = try steps()
    var times = Array(repeating: [Double](), count: ways.count)
    var failures: [String?] = Array(repeating: nil, count: ways.count)
    for _ in 0..<Self.count {
      for (index, way) in ways.enumerated() where failures[index] == nil {
        do {
          times[index].append(try Shell.time([way.command]))
        } catch {
          failures[index] = "\(error)"
        }
      }
    }
    ours += try steps()
    print("RUN true, median of \(Self.count)")
    let median = Self.median(ours)
    print("  " + Comparison.line("a step of ours", median, ours: median, nil))
    for (index, way) in ways.enumerated() {
      print(
        "  " + Comparison.line(way.name, Self.median(times[index]), ours: median, failures[index]))
    }
    fflush(nil)
  }

  private var buildah: [String] {
    ["buildah", "--root", path("buildah"), "--runroot", path("run"), "--storage-driver", "overlay"]
  }

  private func clean() {
    _ = Shell.succeeds(buildah + ["rm", "--all"])
    _ = Shell.succeeds(["rm", "-rf", place.path])
  }

  /// A bundle for runtimes, whose root is a build context as well.
  private func makeRoot() throws {
    try Shell.run([
      "sh", "-c",
      """
      mkdir -p '\(place.path)/bundle/rootfs/bin' && cd '\(place.path)/bundle' &&
      cp /bin/busybox rootfs/bin/ && ln -s busybox rootfs/bin/sh && mkdir rootfs/proc rootfs/dev \
      rootfs/sys rootfs/etc rootfs/tmp && runc spec
      """,
    ])
    let file = place.appendingPathComponent("bundle/config.json")
    let read = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    guard var config = read as? [String: Any], var process = config["process"] as? [String: Any]
    else { return }
    process["terminal"] = false
    process["args"] = ["/bin/sh", "-c", "true"]
    config["process"] = process
    config["root"] = ["path": "rootfs", "readonly": false]
    try JSONSerialization.data(withJSONObject: config).write(to: file)
    let dockerfile =
      "FROM scratch\nCOPY . /\n"
      + (1...Self.count).map { "RUN true # \($0)\n" }.joined()
    try Data(dockerfile.utf8).write(to: place.appendingPathComponent("Dockerfile"))
  }

  /// How long each step of a chain of commands took, from its start to its result in the store.
  private func steps() throws -> [Double] {
    let state = path("state")
    defer { _ = Shell.succeeds(["rm", "-rf", state]) }
    let text = try Shell.run([
      pipeline, "build", "--progress", "json", "--no-checks", "--state-dir", state, "-f",
      path("Dockerfile"), path("bundle/rootfs"),
    ])
    struct Event: Decodable {
      var event: String
      var title: String?
      var status: String?
      var seconds: Double?
    }
    return text.split(separator: "\n").compactMap { line in
      guard let event = try? JSONDecoder().decode(Event.self, from: Data(line.utf8)),
        event.event == "finished", event.status == "ran",
        event.title?.hasPrefix("RUN true") == true
      else { return nil }
      return event.seconds
    }
  }

  private static func median(_ times: [Double]) -> Double? {
    times.isEmpty ? nil : times.sorted()[times.count / 2]
  }
}
