import Foundation
import Testing

/// What may change in a context without running a step again.
@Suite struct CacheHitTests {
  @Test("a mode or owner that an option replaces, and a time, are no reason to copy again")
  func hits() async throws {
    let text = """
      title: copies that only their result decides
      === Dockerfile
      FROM base
      COPY --chmod=0644 --chown=5:6 a /a
      COPY b /b
      RUN cat /a /b > /c
      === file a mode=0600 owner=1:2
      1
      === file b
      2
      """
    let conformanceCase = try ConformanceCase(named: "cache/hits", text: text + "\n")
    let workspace = try CaseWorkspace(conformanceCase)
    let state = try ScratchDirectory()
    let builder = CaseBuilder.pipeline(state: state.path)
    let first = try await builder.log(of: workspace)
    #expect(!first.contains("(Dockerfile:2): cached"))
    try workspace.run("sh", "chmod 755 a; chown 3:4 a b; touch -d @1000000000 a b")
    let second = try await builder.log(of: workspace)
    for line in 2...4 { #expect(second.contains("(Dockerfile:\(line)): cached"), "\(second)") }
  }
}
