import PipelineDSL

/// Measures that reading takes time in proportion to the input, whatever is repeated in it.
enum Scaling {
  private static let patterns: [(name: String, make: @Sendable (Int) -> String)] = [
    ("instructions", { String(repeating: "RUN echo a && b\n", count: $0) }),
    ("continuation lines", { "RUN a" + String(repeating: " \\\n  b", count: $0) }),
    ("empty continuation lines", { "RUN a \\\n" + String(repeating: "\n", count: $0) + "b" }),
    ("comments inside", { "RUN a \\\n" + String(repeating: "# c\n", count: $0) + "b" }),
    ("comments", { String(repeating: "# c\n\n", count: $0) + "RUN a" }),
    ("assignments", { "ENV" + String(repeating: " \\\n a=\"b c\"", count: $0) }),
    ("operands", { "COPY" + String(repeating: " \\\n abc", count: $0) + " /d" }),
    ("flags", { "COPY" + String(repeating: " \\\n --exclude=a", count: $0) + " a b" }),
    ("wrong flags", { "COPY" + String(repeating: " \\\n --wrong=a", count: $0) + " a b" }),
    ("open quotes", { "ENV a=" + String(repeating: "\"\\\n", count: $0) }),
    ("open brackets", { "CMD " + String(repeating: "[\\\n", count: $0) }),
    ("elements", { "CMD [\"a\"" + String(repeating: ", \\\n\"b\"", count: $0) + "]" }),
    ("open expansions", { "RUN <<x " + String(repeating: "${a:-\\\n", count: $0) }),
    (
      "here-documents",
      { count in
        "RUN" + String(repeating: " \\\n <<A", count: count)
          + "\n" + String(repeating: "A\n", count: count)
      }
    ),
    ("body lines", { "RUN <<A\n" + String(repeating: "abc\n", count: $0) + "A" }),
    ("mount fields", { "RUN --mount=a" + String(repeating: ",\\\nb=c", count: $0) + " x" }),
    ("wrong lines", { String(repeating: "WRONG\n", count: $0) }),
    ("triggers", { String(repeating: "ONBUILD RUN a\n", count: $0) }),
    ("stages", { String(repeating: "FROM a AS b\n", count: $0) }),
  ]

  /// Reads each pattern at two sizes; false where eight times the input takes much longer.
  static func measure() -> Bool {
    var isLinear = true
    for (name, make) in patterns {
      let small = time(make(20_000))
      let large = time(make(160_000))
      let factor = large / small
      // Caches make the larger one dearer; a square would be 64 times.
      let isGood = factor < 24 || large < .milliseconds(20)
      isLinear = isLinear && isGood
      print("\(isGood ? "ok  " : "SLOW") \(name): \(small), eight times: \(large)")
    }
    return isLinear
  }

  private static func time(_ text: String) -> Duration {
    let bytes = Array(("FROM a\n" + text).utf8)
    return (0..<3).map { _ in
      let (result, time) = ProcessorTime.measuring {
        DockerfileParser.parse(bytes, file: "Dockerfile")
      }
      precondition(result.graph != nil || !result.diagnostics.isEmpty)
      return time
    }.min() ?? .zero
  }
}
