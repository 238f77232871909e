/// An empty line between continuation lines is a mistake that BuildKit will refuse one day (L4).
///
/// The parser finds it, since it leaves no trace in the graph.
struct NoEmptyContinuation: CheckRule {
  let id = "NoEmptyContinuation"
  let summary = "Continuation lines should not be empty"

  func check(_ input: CheckInput) -> [Diagnostic] { [] }

  /// Removes the empty lines of the whole instruction: the parser tells of the first one.
  func edits(
    for diagnostic: Diagnostic, in source: SourceText, of input: CheckInput
  ) -> [SourceEdit] {
    guard let first = diagnostic.location.flatMap(source.range(of:))?.lowerBound else { return [] }
    var end = first
    var next = first
    while next < source.bytes.count, source.bytes[next].isBlank {
      next += 1
      if source.bytes[next - 1] == UInt8(ascii: "\n") { end = next }
    }
    return [SourceEdit(first..<end, with: "")]
  }
}

extension UInt8 {
  fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
