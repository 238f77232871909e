import Foundation
import Testing

@Suite("Building without root")
struct RootlessTests {
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
    let user = try OrdinaryUser(site, subordinate: OrdinaryUser.ids)
    let asUser = try await user.build(options + ["--iidfile", "\(user.state)/id"])
    try #require(asUser.status == 0, "\(asUser.errors)")
    let identifiers = try [site.path("root-id"), "\(user.state)/id"].map {
      try String(contentsOfFile: $0, encoding: .utf8)
    }
    #expect(identifiers[0] == identifiers[1])
    #expect(identifiers[0].hasPrefix("sha256:"))
  }
}
