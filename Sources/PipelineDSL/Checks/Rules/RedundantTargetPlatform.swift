/// `--platform=$TARGETPLATFORM` says what holds anyway.
struct RedundantTargetPlatform: CheckRule {
  let id = "RedundantTargetPlatform"
  let summary = "FROM need not name $TARGETPLATFORM, which is the default"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.graph.stages.compactMap { stage in
      guard let word = stage.platform, Self.isTarget(word) else { return nil }
      return finding(
        "setting the platform to '\(word.raw)' in FROM is redundant: that is the default",
        at: input.place(of: "--platform=\(word.raw)", in: stage.location), help: "remove the flag")
    }
  }

  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    FlagRemoval.edits(at: diagnostic.location, in: source)
  }

  private static func isTarget(_ word: Word) -> Bool {
    word.raw == "$TARGETPLATFORM" || word.raw == "${TARGETPLATFORM}"
  }
}

/// Takes a flag out of an instruction, with the blanks that follow it.
enum FlagRemoval {
  static func edits(at location: SourceLocation?, in source: SourceText) -> [SourceEdit] {
    guard let range = location.flatMap(source.range(of:)), source.text(range).hasPrefix("--") else {
      return []
    }
    var end = range.upperBound
    while end < source.bytes.count, source.bytes[end] == 0x20 || source.bytes[end] == 0x09 {
      end += 1
    }
    return [SourceEdit(range.lowerBound..<end, with: "")]
  }
}
