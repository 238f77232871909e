import PipelineDSL
import Testing

@Suite("Drawing graphs")
struct GraphDrawingTests {
  private func drawing(_ format: GraphDrawing.Format) throws -> String {
    let graph = try readGraph(
      """
      FROM golang:1.23 AS build
      RUN make
      FROM build
      RUN --mount=from=busybox,target=/b true
      FROM scratch AS final
      COPY --from=build /a /a
      COPY --from=1 /b /b
      COPY --from=1 /c /c
      """)
    return GraphDrawing(graph).rendered(as: format)
  }

  @Test("as text")
  func text() throws {
    #expect(
      try drawing(.text) == """
        build: from golang:1.23, 1 step
        stage-1: from build, 1 step
          mounts busybox
        final: from scratch, 3 steps
          copies from build
          copies from stage-1

        """)
  }

  @Test("for Mermaid")
  func mermaid() throws {
    #expect(
      try drawing(.mermaid) == """
        flowchart LR
          s0["build"]
          s1["stage-1"]
          s2["final"]
          i0(["golang:1.23"])
          i1(["busybox"])
          i0 --> s0
          s0 --> s1
          i1 -. mount .-> s1
          s0 -. copy .-> s2
          s1 -. copy .-> s2

        """)
  }

  @Test("for Graphviz")
  func dot() throws {
    #expect(
      try drawing(.dot) == """
        digraph build {
          rankdir=LR;
          s0 [label="build", shape=box];
          s1 [label="stage-1", shape=box];
          s2 [label="final", shape=box];
          i0 [label="golang:1.23", shape=ellipse];
          i1 [label="busybox", shape=ellipse];
          i0 -> s0;
          s0 -> s1;
          i1 -> s1 [label=mount, style=dashed];
          s0 -> s2 [label=copy, style=dashed];
          s1 -> s2 [label=copy, style=dashed];
        }

        """)
  }

  @Test("as JSON")
  func json() throws {
    #expect(
      try drawing(.json) == """
        {
          "stages": [
            {"name": "build", "base": "golang:1.23", "steps": 1},
            {"name": "stage-1", "base": "build", "steps": 1},
            {"name": "final", "base": "scratch", "steps": 3}
          ],
          "edges": [
            {"from": "golang:1.23", "kind": "image", "to": "build", "use": "base"},
            {"from": "build", "kind": "stage", "to": "stage-1", "use": "base"},
            {"from": "busybox", "kind": "image", "to": "stage-1", "use": "mount"},
            {"from": "build", "kind": "stage", "to": "final", "use": "copy"},
            {"from": "stage-1", "kind": "stage", "to": "final", "use": "copy"}
          ]
        }

        """)
  }
}
