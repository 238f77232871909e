/// How far two words are apart, for "did you mean".
package enum EditDistance {
  /// Names longer than this are not typing mistakes of each other.
  private static let longest = 64

  /// The nearest of some candidates, nil where none is within a number of edits.
  ///
  /// A word is never near to one that shares nothing with it, nor to itself. Of equally near ones
  /// the first counts.
  package static func nearest(
    to word: String, among candidates: [String], within limit: Int = 2
  ) -> String? {
    let letters = Array(word.unicodeScalars)
    guard letters.count <= longest else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let others = Array(candidate.unicodeScalars)
      guard others.count <= longest, abs(others.count - letters.count) <= limit else { continue }
      let distance = distance(letters, others)
      guard distance > 0, distance <= limit, distance < min(letters.count, others.count) else {
        continue
      }
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.candidate
  }

  /// The number of letters to insert, remove, replace, or swap with their neighbour.
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[right.count]
  }
}
