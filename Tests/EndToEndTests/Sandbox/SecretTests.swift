import Foundation
import Testing

/// Threat 22.
@Suite("Secrets are in nothing that is kept")
struct SecretTests {
  private static let secret = "correct-horse-battery-staple"

  private func files(with text: String, in directory: String) async throws -> [String] {
    let found = try await ProgramRun.run(
      "grep", ["--recursive", "--text", "--files-with-matches", "--fixed-strings", text, directory])
    return found.text.split(separator: "\n").map(String.init)
  }

  @Test("not in layers, history, log, cache, caches, archive or report")
  func kept() async throws {
    let site = try BuildSite()
    try Data(Self.secret.utf8).write(to: URL(fileURLWithPath: site.path("token")))
    let run = try await site.build(
      """
      FROM base
      RUN --mount=type=secret,id=token --mount=type=cache,target=/c \\
        cat /run/secrets/token; echo "$(cat /run/secrets/token)"; wc -c < /run/secrets/token > /size
      RUN --mount=type=secret,id=token,env=TOKEN echo "$TOKEN" && test "${#TOKEN}" = 28
      RUN test -z "$TOKEN" && ! test -e /run/secrets && cat /size
      """,
      [
        "--secret", "id=token,src=\(site.path("token"))", "-t", "kept",
        "-o", "type=oci,dest=\(site.path("image.tar"))", "--metadata-file", site.path("report"),
      ])
    try #require(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("] | 28\n"))
    #expect(!run.errors.contains(Self.secret))
    #expect(try await files(with: Self.secret, in: site.state) == [])
    for file in ["image.tar", "report"] {
      #expect(try await files(with: Self.secret, in: site.path(file)) == [])
    }
    #expect(try site.remains() == [])
  }

  @Test("not in the error of a step that prints it and fails")
  func failure() async throws {
    let site = try BuildSite()
    let run = try await BuiltProgram.run(
      "pipeline",
      [
        "build", "--progress", "plain", "--secret", "id=token,env=SECRET_OF_TEST",
        try {
          try site.write(
            BuildSite.base
              + "FROM base\nRUN --mount=type=secret,id=token cat /run/secrets/token >&2; exit 3\n",
            to: "Dockerfile")
          return site.context
        }(),
      ], state: site.state, environment: ["SECRET_OF_TEST": Self.secret])
    #expect(run.status == 1)
    #expect(run.errors.contains("exit code: 3"))
    #expect(!run.errors.contains(Self.secret))
    #expect(try await files(with: Self.secret, in: site.state) == [])
  }
}
