import Testing

/// `sizes`: what makes an image large.
@Suite("Sizes of an image")
struct SizesTests {
  @Test("what layers add and hide, and the largest files of both kinds")
  func sizes() async throws {
    let site = try BuildSite()
    let run = try await site.build(
      """
      FROM base
      RUN mkdir -p /d/inner && head -c 3000000 /dev/zero > /d/inner/gone \
        && head -c 2000000 /dev/zero > /kept && ln /kept /again
      RUN rm -r /d && head -c 1000 /dev/zero > /small
      RUN head -c 2000 /dev/zero > /small
      RUN mkdir /d && echo x > /d/x
      """, ["-t", "large"])
    try #require(run.status == 0, "\(run.errors)")
    let sizes = try await BuiltProgram.run(
      "pipeline", ["sizes", "large", "--files", "3"], state: site.state)
    #expect(sizes.status == 0, "\(sizes.errors)")
    let lines = sizes.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "   files     hides  layer")
    #expect(lines[3].hasPrefix("  5.0 MB       0 B  RUN mkdir -p /d/inner"))
    #expect(lines[4].hasPrefix("  1.0 kB    3.0 MB  RUN rm -r /d"))
    #expect(lines[5].hasPrefix("  2.0 kB    1.0 kB  RUN head -c 2000"))
    #expect(lines[6].hasPrefix("     2 B       0 B  RUN mkdir /d"))
    // The base's own busybox is hidden too: a link to it copies it into the next layer.
    #expect(lines[8].hasSuffix("    5.0 MB  image"))
    let largest = try #require(lines.firstIndex(of: "the largest files"))
    #expect(lines[largest + 1...largest + 3].contains { $0.hasPrefix("  2.0 MB  /") })
    let hidden = try #require(lines.firstIndex(of: "the largest files that are hidden"))
    #expect(lines[hidden + 1].hasPrefix("  3.0 MB  /d/inner/gone, by RUN rm -r /d"))
    #expect(lines[hidden + 3].hasPrefix("  1.0 kB  /small, by RUN head -c 2000"))
  }
}
