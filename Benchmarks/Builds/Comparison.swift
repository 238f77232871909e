import Foundation

/// Ways to come to the same end, measured one after the other in each round.
struct Comparison {
  /// One way: what makes it ready, what is timed, and what forgets it.
  struct Way {
    var name: String
    var prepare: [[String]] = []
    var timed: [[String]]
    var forget: [[String]] = []
  }

  var name: String
  var ways: [Way]

  /// Seconds that passed, and those of processors.
  struct Time {
    var passed: Double
    var used: Double
  }

  /// Runs all ways in turn, and prints the best time of each and ours as a ratio of it.
  func run(rounds: Int) {
    var best: [Time?] = Array(repeating: nil, count: ways.count)
    var failures: [String?] = Array(repeating: nil, count: ways.count)
    for _ in 0..<rounds {
      for (index, way) in ways.enumerated() where failures[index] == nil {
        for command in way.forget + way.prepare { _ = Shell.succeeds(command) }
        // ext4 takes its time over inodes that were deleted less than five seconds ago.
        _ = Shell.succeeds(["sync"])
        Thread.sleep(forTimeInterval: 6)
        do {
          let start = Shell.processorTime
          let passed = try Shell.time(way.timed)
          let used = Shell.processorTime - start
          if passed < best[index]?.passed ?? .infinity {
            best[index] = Time(passed: passed, used: used)
          }
        } catch {
          failures[index] = "\(error)"
        }
        for command in way.forget { _ = Shell.succeeds(command) }
      }
    }
    print(name)
    for (index, way) in ways.enumerated() {
      print("  " + Self.row(way.name, best[index], ours: best[0], failures[index]))
    }
    fflush(nil)
  }

  private static func row(
    _ name: String, _ time: Time?, ours: Time?, _ failure: String?
  ) -> String {
    let passed = line(name, time?.passed, ours: ours?.passed, failure)
    guard let time else { return passed }
    return "\(passed)   processor \(part(time.used, ours?.used))"
  }

  /// A line with a name, seconds, and ours divided by them; or the last line of why there are none.
  static func line(
    _ name: String, _ seconds: Double?, ours: Double?, _ failure: String?
  ) -> String {
    let start = name.padding(toLength: 28, withPad: " ", startingAt: 0)
    guard let seconds else {
      let reason = failure?.split(separator: "\n").last.map(String.init) ?? "not measured"
      return start + "cannot: " + reason.prefix(150)
    }
    return start + part(seconds, ours)
  }

  private static func part(_ seconds: Double, _ ours: Double?) -> String {
    String(format: "%8.4f s  ours / theirs %6.3f", seconds, (ours ?? .nan) / seconds)
  }
}

extension Comparison {
  /// Pulls a base and unpacks it, so that a command can run on it.
  static func pulling(_ reference: String, in place: URL, pipeline: String) -> Comparison {
    let context = place.appendingPathComponent("context").path
    func path(_ name: String) -> String { place.appendingPathComponent(name).path }
    let buildah = [
      "buildah", "--root", path("buildah"), "--runroot", path("run"), "--storage-driver", "overlay",
    ]
    let docker = "/usr/bin/docker"
    let script =
      "mkdir -p '\(context)' && printf 'FROM \(reference)\\nRUN true\\n' > '\(context)/Dockerfile'"
    var ways = [
      Way(
        name: "ours, with RUN true", prepare: [["sh", "-c", script]],
        timed: [
          [pipeline, "build", "--progress", "quiet", "--state-dir", path("state"), context]
        ], forget: [["rm", "-rf", path("state")]]),
      Way(
        name: "skopeo copy, umoci unpack",
        timed: [
          [
            "skopeo", "copy", "--quiet", "--insecure-policy", "--src-tls-verify=false",
            "docker://\(reference)", "oci:\(path("layout")):base",
          ], ["umoci", "unpack", "--image", "\(path("layout")):base", path("bundle")],
        ], forget: [["rm", "-rf", path("layout"), path("bundle")]]),
      Way(
        name: "buildah from, mount",
        timed: [
          buildah + ["from", "--quiet", "--tls-verify=false", "--name", "base", reference],
          buildah + ["mount", "base"],
        ],
        forget: [
          buildah + ["umount", "base"], buildah + ["rm", "base"],
          ["rm", "-rf", path("buildah"), path("run")],
        ]),
    ]
    if Engine.docker.isThere {
      let forget = [
        [docker, "rmi", "-f", reference, "benchmark"], [docker, "image", "prune", "-af"],
        [docker, "builder", "prune", "-af"],
      ]
      ways += [
        Way(
          name: "docker pull", timed: [[docker, "pull", "--quiet", reference]], forget: forget),
        Way(
          name: "BuildKit, with RUN true", prepare: [["sh", "-c", script]],
          timed: [
            [docker, "build", "--quiet", "--network", "host", "-t", "benchmark", context]
          ], forget: forget),
      ]
    }
    return Comparison(name: "pull and unpack \(reference)", ways: ways)
  }
}
