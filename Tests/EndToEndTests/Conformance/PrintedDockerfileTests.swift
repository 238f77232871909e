import Foundation
import Testing

@Suite("A declaration and its printed Dockerfile are one build")
struct PrintedDockerfileTests {
  private struct Prints {
    let site: BuildSite
    var file: String { site.path("Dockerfile") }

    init() async throws {
      site = try BuildSite()
      let printed = try await BuiltProgram.run("MyImage", ["dockerfile"], state: site.state)
      try #require(printed.status == 0, "\(printed.errors)")
      try Data(printed.output).write(to: URL(fileURLWithPath: file))
    }

    func build(_ program: String, _ arguments: [String]) async throws -> ProgramRun {
      try await BuiltProgram.run(
        program, ["build", "--progress", "plain"] + arguments, state: site.state,
        in: site.context)
    }
  }

  @Test("from one store every step of the Dockerfile is a hit, and the digest is equal")
  func sameKeys() async throws {
    let prints = try await Prints()
    let (declared, read) = (prints.site.path("declared.tar"), prints.site.path("read.tar"))
    let first = try await prints.build("MyImage", ["-o", "type=oci,dest=\(declared)"])
    #expect(first.status == 0, "\(first.errors)")
    let second = try await prints.build(
      "pipeline",
      [
        "-f", prints.file, "--build-context", "host-bin=/bin", "-o", "type=oci,dest=\(read)",
        prints.site.context,
      ])
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.errors.contains("0 ran, 3 cached"), "\(second.errors)")
    #expect(try ImageArchive(at: declared).configBytes == ImageArchive(at: read).configBytes)
  }

  @Test("buildah makes the same config and the same files of it")
  func peer() async throws {
    let prints = try await Prints()
    let (ours, theirs) = (prints.site.path("ours.tar"), prints.site.path("theirs.tar"))
    let built = try await prints.build("MyImage", ["-o", "type=oci,dest=\(ours)"])
    try #require(built.status == 0, "\(built.errors)")
    let buildah = [
      "--root", prints.site.path("root"), "--runroot", prints.site.path("run"),
      "--storage-driver", "vfs",
    ]
    for arguments in [
      [
        "build", "--isolation", "chroot", "--build-context", "host-bin=/bin", "-f", prints.file,
        "-t", "printed", prints.site.context,
      ], ["push", "printed", "oci-archive:\(theirs)"],
    ] {
      let run = try await ProgramRun.run("buildah", buildah + arguments)
      try #require(run.status == 0, "\(run.errors)")
    }
    let (mine, peer) = (try ImageArchive(at: ours), try ImageArchive(at: theirs))
    #expect(
      Self.facts(ImageDescription(image: mine, base: peer).lines)
        == Self.facts(ImageDescription(image: peer, base: mine).lines))
  }

  /// Config and files, without history, which each builder words its own way.
  ///
  /// Left out is what buildah does unlike BuildKit: a label of its own, no working directory where
  /// none was set, no mark of escaped arguments, and the places where it mounts something.
  private static func facts(_ lines: [String]) -> [String] {
    var section = ""
    return lines.filter { line in
      if line.hasPrefix("--- ") { section = line }
      guard section != "--- history" else { return false }
      let own = ["ArgsEscaped", "WorkingDir \"/\"", "Label \"io.buildah.version\""]
      if own.contains(where: line.hasPrefix) { return false }
      return !["/dev", "/etc", "/proc", "/run", "/sys"].contains { line.contains(" \($0)") }
    }
  }
}
