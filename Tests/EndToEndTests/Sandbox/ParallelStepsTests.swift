import Testing

@Suite("Steps that do not need each other run at once")
struct ParallelStepsTests {
  /// Each step says in a cache that it is there and goes on only when all of them are: were they run
  /// one after the other, or as few at a time as the machine has processors, the first would give up.
  @Test("eight stages wait for each other, and none in vain")
  func together() async throws {
    let site = try BuildSite()
    let stages = (1...8).map { number in
      """
      FROM base AS s\(number)
      RUN --mount=type=cache,id=meeting,target=/meeting touch /meeting/\(number); \
      n=0; while [ "$(ls /meeting | wc -l)" -lt 8 ]; do \
      n=$((n+1)); [ $n -lt 600 ] || exit 9; sleep 0.1; done; echo \(number) > /met

      """
    }
    let copies = (1...8).map { "COPY --from=s\($0) /met /met.\($0)\n" }
    let run = try await site.build(
      stages.joined() + "FROM base\n" + copies.joined(), ["-t", "met"])
    #expect(run.status == 0, "\(run.errors)")
  }
}
