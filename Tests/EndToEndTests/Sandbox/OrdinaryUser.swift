import Foundation
import Testing

/// A user of this machine that only a test's own view of `/etc` knows, and who has no rights.
struct OrdinaryUser {
  static let id = 43210
  private let site: BuildSite
  /// A line of `/etc/subuid` and `/etc/subgid`, perhaps somebody else's.
  var subordinate: String
  /// Where programs are looked for.
  var path = "/usr/sbin:/usr/bin:/sbin:/bin"
  /// What root does before, in a mount namespace of the run.
  var preparation = ""
  /// Where the user's builds keep their state.
  let state: String

  static let noIDs = "somebody:100000:65536\n"
  static let ids = "e2e-builder:1000000:65536\n"

  init(_ site: BuildSite, subordinate: String) throws {
    self.site = site
    self.subordinate = subordinate
    state = site.path("user")
    if FileManager.default.fileExists(atPath: state) { return }
    try FileManager.default.createDirectory(
      atPath: state, withIntermediateDirectories: true,
      attributes: [.ownerAccountID: Self.id, .groupOwnerAccountID: Self.id])
  }

  /// Builds the site's context.
  func build(_ arguments: [String]) async throws -> ProgramRun {
    try await run(["build", "--progress", "plain"] + arguments + [site.context])
  }

  /// Runs the program.
  func run(_ arguments: [String]) async throws -> ProgramRun {
    let files = site.path("etc")
    try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
    let passwd = try String(contentsOfFile: "/etc/passwd", encoding: .utf8)
    for (name, text) in [
      ("passwd", passwd + "e2e-builder:x:\(Self.id):\(Self.id)::/:/bin/sh\n"),
      ("ids", subordinate),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(files)/\(name)"))
    }
    let script = """
      mount --bind \(files)/passwd /etc/passwd
      for f in subuid subgid; do touch /etc/$f; mount --bind \(files)/ids /etc/$f; done
      \(preparation)
      exec setpriv --reuid \(Self.id) --regid \(Self.id) --clear-groups env PATH=\(path) "$@"
      """
    return try await ProgramRun.run(
      "unshare",
      ["--mount", "sh", "-ec", script, "sh", try program()] + arguments,
      environment: ["PIPELINE_STATE_DIR": state, "HOME": state])
  }

  /// A copy of the program, as the build directory may be closed to others.
  func program() throws -> String {
    let program = site.path("pipeline")
    if !FileManager.default.fileExists(atPath: program) {
      // By a program of its own: while this one writes a file, a child that another test starts at
      // that moment holds it open too, and then it cannot be executed (ETXTBSY).
      let copy = try ProgramRun.wait(for: "cp", [try BuiltProgram.path("pipeline"), program])
      try #require(copy.status == 0, "\(copy.errors)")
    }
    return program
  }
}
