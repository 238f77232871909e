import Testing

/// `verify`: what a build makes of the same inputs twice.
@Suite("Building twice")
struct VerifyTests {
  private func verify(_ steps: String) async throws -> ProgramRun {
    let site = try BuildSite()
    try site.write(BuildSite.base + steps, to: "Dockerfile")
    return try await BuiltProgram.run(
      "pipeline", ["verify", "--progress", "quiet", site.context], state: site.state)
  }

  @Test("equal builds are told by their digest")
  func equal() async throws {
    let run = try await verify(
      """
      FROM base
      RUN mkdir /d && date > /dev/null && touch /d/now && ln -s now /d/link
      """)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.text.hasPrefix("reproducible: linux/"))
    #expect(run.text.hasSuffix(" both times\n"))
  }

  @Test("the step that differs is named, with its files, and not those that follow from it")
  func different() async throws {
    let run = try await verify(
      """
      FROM base AS one
      RUN head -c 16 /dev/urandom > /random; mkdir /d; touch /d/same
      FROM base
      COPY --from=one / /copied
      """)
    #expect(run.status == 1)
    #expect(run.errors.contains("this step makes something else each time it runs"))
    #expect(run.errors.contains("RUN head -c 16 /dev/urandom"))
    #expect(run.errors.contains("  /random has other content\n"))
    #expect(!run.errors.contains("  /d"))
    #expect(!run.errors.contains("COPY"))
  }

  @Test("names, kinds, modes and links are compared too, and known files get advice")
  func kinds() async throws {
    let run = try await verify(
      """
      FROM base
      RUN mkdir -p /var/log /x; r=$(tr -dc a-f < /dev/urandom | head -c 12); \\
        echo $r > /var/log/dpkg.log; touch /x/$r; ln -s $r /x/link
      """)
    #expect(run.status == 1)
    #expect(run.errors.contains("  /var/log/dpkg.log has other content\n"))
    #expect(run.errors.contains("  /x/link leads elsewhere\n"))
    #expect(run.errors.contains(" is there the first time only\n"))
    #expect(run.errors.contains(" is there the second time only\n"))
    #expect(run.errors.contains("help: remove it in the same step"))
  }
}
