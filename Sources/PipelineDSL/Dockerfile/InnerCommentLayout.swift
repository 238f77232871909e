/// Puts comment lines back between the lines of a printed instruction.
///
/// A comment is placed by what follows it. Where no line ends there, the line is broken: joining
/// the lines gives the same text, as it does for every break (L3, L4).
struct InnerCommentLayout {
  private let bytes: [UInt8]
  private let escape: UInt8
  /// Where the bytes that are neither blanks nor line ends stand, without here-document bodies.
  private var solid: [Int] = []

  init(_ text: String, escape: Unicode.Scalar) {
    bytes = Array(text.utf8)
    self.escape = UInt8(ascii: escape)
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      var last = end
      while last > start, Blanks.separates(bytes[last - 1]) { last -= 1 }
      let continues =
        last > start && bytes[last - 1] == self.escape
        && (last - 1 == start || bytes[last - 2] != self.escape)
      solid += (start..<(continues ? last - 1 : end)).filter { !Blanks.separates(bytes[$0]) }
      if !continues { break }
      start = end + 1
    }
  }

  /// The text with the comments in it, and those that found no place.
  func inserting(_ comments: [InnerComment]) -> (text: String, homeless: [String]) {
    guard !comments.isEmpty else { return (String(decoding: bytes, as: UTF8.self), []) }
    var result: [UInt8] = []
    var done = 0
    var homeless: [String] = []
    /// The index before which the last comment stands: several stand there one after another.
    var place: Int?
    for comment in comments {
      let number = solid.count - comment.followingBytes
      guard number > 0, number < solid.count, solid[number] >= done || solid[number] == place
      else {
        homeless.append(comment.text)
        continue
      }
      let next = solid[number]
      var start = next
      while Blanks.separates(bytes[start - 1]) { start -= 1 }
      if solid[number] != place {
        if bytes[start - 1] == 0x0A {
          result += bytes[done..<start]
        } else if let broken = broken(after: done, from: start, before: next) {
          result += broken
          start = max(start, next - max(0, next - start - 1))
        } else {
          homeless.append(comment.text)
          continue
        }
        done = start
        place = next
      }
      result += bytes[done..<next] + Array(comment.text.utf8) + [0x0A]
    }
    result += bytes[done...]
    return (String(decoding: result, as: UTF8.self), homeless)
  }

  /// The text up to a break; of the blanks there the first stands before the escape character.
  private func broken(after done: Int, from start: Int, before next: Int) -> [UInt8]? {
    let hasBlank = next > start
    // A line that starts with '#' would vanish, and a doubled escape character joins nothing.
    guard bytes[next] != UInt8(ascii: "#"), hasBlank || bytes[start - 1] != escape else {
      return nil
    }
    return bytes[done..<start] + (hasBlank ? [bytes[start]] : []) + [escape, 0x0A]
  }
}
