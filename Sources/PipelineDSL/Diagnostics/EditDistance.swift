/// How far two words are apart, for "did you mean".
package enum EditDistance {
  /// The nearest of some candidates, nil where none is within two edits.
  package static func nearest(to word: String, among candidates: [String]) -> String? {
    nil
  }
}
