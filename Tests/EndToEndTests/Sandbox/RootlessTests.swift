import Foundation
import Testing

@Suite("Building without root")
struct RootlessTests {
  /// Runs the program as a user that only this test's view of `/etc` knows.
  private func build(
    _ site: BuildSite, subordinate: String, state: String, _ arguments: [String]
  ) async throws -> ProgramRun {
    let files = site.path("etc")
    try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
    let passwd = try String(contentsOfFile: "/etc/passwd", encoding: .utf8)
    for (name, text) in [
      ("passwd", passwd + "e2e-builder:x:43210:43210::/:/bin/sh\n"), ("ids", subordinate),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(files)/\(name)"))
    }
    // A copy, as the build directory may be closed to others.
    let program = site.path("pipeline")
    if !FileManager.default.fileExists(atPath: program) {
      // By a program of its own: while this one writes a file, a child that another test starts at
      // that moment holds it open too, and then it cannot be executed (ETXTBSY).
      let copy = try ProgramRun.wait(for: "cp", [try BuiltProgram.path("pipeline"), program])
      try #require(copy.status == 0, "\(copy.errors)")
    }
    let script = """
      mount --bind \(files)/passwd /etc/passwd
      for f in subuid subgid; do touch /etc/$f; mount --bind \(files)/ids /etc/$f; done
      exec setpriv --reuid 43210 --regid 43210 --clear-groups "$@"
      """
    return try await ProgramRun.run(
      "unshare",
      ["--mount", "sh", "-ec", script, "sh", program, "build", "--progress", "plain"]
        + arguments + [site.context],
      environment: ["PIPELINE_STATE_DIR": state, "HOME": state])
  }

  private static let dockerfile = """
    FROM base
    RUN adduser -D app || printf 'app:x:1000:1000::/:/bin/sh\\n' >> /etc/passwd; \\
      printf x > /f && chown 1000:1000 /f && mkdir /d && rm /bin/vi && rm -r /usr; true
    RUN mkdir /d/e && rm -r /d && mkdir /d && chmod 4755 /bin/busybox
    USER 1000
    WORKDIR /home/app
    COPY --chown=7:8 hello /srv/hello
    RUN --mount=type=cache,target=/c,uid=1000 --mount=type=bind,target=/src cat /src/hello > copy
    RUN --network=none head -c 3 /dev/zero | wc -c > count
    """

  @Test("a user with subordinate ids gets the image that root gets")
  func sameDigest() async throws {
    let site = try BuildSite()
    try site.write("hello\n", to: "hello")
    try site.write(BuildSite.base + Self.dockerfile, to: "Dockerfile")
    let options = ["--source-date-epoch", "1000"]
    let asRoot = try await BuiltProgram.run(
      "pipeline",
      ["build"] + options + ["--iidfile", site.path("root-id"), site.context], state: site.state)
    try #require(asRoot.status == 0, "\(asRoot.errors)")
    let state = site.path("user")
    try FileManager.default.createDirectory(
      atPath: state, withIntermediateDirectories: true,
      attributes: [.ownerAccountID: 43210, .groupOwnerAccountID: 43210])
    let asUser = try await build(
      site, subordinate: "e2e-builder:1000000:65536\n", state: state,
      options + ["--iidfile", "\(state)/id"])
    try #require(asUser.status == 0, "\(asUser.errors)")
    let identifiers = try [site.path("root-id"), "\(state)/id"].map {
      try String(contentsOfFile: $0, encoding: .utf8)
    }
    #expect(identifiers[0] == identifiers[1])
    #expect(identifiers[0].hasPrefix("sha256:"))
  }

  @Test("a user without subordinate ids is told how to get some")
  func noIDs() async throws {
    let site = try BuildSite()
    try site.write("FROM scratch\nCOPY busybox /b\n", to: "Dockerfile")
    let run = try await build(
      site, subordinate: "somebody:100000:65536\n", state: site.path("user"), [])
    #expect(run.status == 1)
    #expect(
      run.errors == """
        error: building without root needs subordinate ids, and 'e2e-builder' has none in \
        /etc/subuid and /etc/subgid
        help: have root run: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \
        e2e-builder

        """)
  }
}
