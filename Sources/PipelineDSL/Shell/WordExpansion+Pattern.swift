extension WordExpansion {
  /// A pattern of `${x#p}` and its kin: `*` and `?` only, no brackets, both crossing `/` (V3).
  ///
  /// BuildKit makes a regular expression of it, in which a dot is anything but a line feed. Here
  /// every state is followed at once, so that no pattern takes more than its length times the text's.
  struct Pattern {
    private enum Element {
      case literal(Unicode.Scalar)
      case one
      case many
    }

    private var elements: [Element] = []

    /// Reads a pattern that still has its escapes, which are always backslashes.
    init(_ text: ArraySlice<Unicode.Scalar>) throws(Reader.Failure) {
      var rest = text
      while let scalar = rest.popFirst() {
        switch scalar {
        case "*": elements.append(.many)
        case "?": elements.append(.one)
        case "\\":
          guard let escaped = rest.popFirst() else {
            throw Reader.Failure("nothing follows the escape '\\'")
          }
          guard "*?\\}/".unicodeScalars.contains(escaped) else {
            throw Reader.Failure(
              "invalid escape '\\\(escaped)'", help: "a pattern knows \\* \\? \\\\ \\} and \\/ only"
            )
          }
          elements.append(.literal(escaped))
        default: elements.append(.literal(scalar))
        }
      }
    }

    /// The pattern that matches backwards: a suffix is a prefix of the reversed text.
    var reversed: Pattern {
      var copy = self
      copy.elements.reverse()
      return copy
    }

    /// Where the shortest or longest prefix that matches ends.
    func prefixEnd(in text: [Unicode.Scalar], isLongest: Bool) -> Int? {
      var states = States(count: elements.count)
      add(0, start: 0, to: &states)
      var end: Int?
      var position = 0
      while true {
        if states.isActive(elements.count) {
          guard isLongest else { return position }
          end = position
        }
        guard position < text.count, !states.isEmpty else { return end }
        states = step(states, text[position])
        position += 1
      }
    }

    /// The text with the first match, or all of them, replaced; nil where it would exceed a limit.
    ///
    /// The replacement is taken literally (X9).
    func replacing(
      in text: [Unicode.Scalar], with replacement: String, all: Bool, limit: Int
    ) -> String? {
      var result = ""
      var size = 0
      var lastEnd = 0
      var position = 0
      while position <= text.count, let match = firstMatch(in: text, from: position) {
        result.unicodeScalars.append(contentsOf: text[lastEnd..<match.lowerBound])
        // An empty match right after another one is none, as in Go's regexp.
        if match.upperBound > lastEnd || match.lowerBound == 0 {
          result += replacement
          size += replacement.utf8.count
          guard size <= limit else { return nil }
        }
        lastEnd = match.upperBound
        position = max(position + 1, match.upperBound)
        if !all { break }
      }
      result.unicodeScalars.append(contentsOf: text[lastEnd...])
      return result
    }

    /// The leftmost match and, among those that start there, the longest.
    private func firstMatch(in text: [Unicode.Scalar], from first: Int) -> Range<Int>? {
      var states = States(count: elements.count)
      var best: Range<Int>?
      var position = first
      while true {
        if best == nil { add(0, start: position, to: &states) }
        if let start = states.start(of: elements.count), start <= best?.lowerBound ?? start {
          best = start..<position
          states.drop(startingAfter: start)
        }
        guard position < text.count, best == nil || !states.isEmpty else { return best }
        states = step(states, text[position])
        position += 1
      }
    }

    private func step(_ states: States, _ scalar: Unicode.Scalar) -> States {
      var next = States(count: elements.count)
      for (state, element) in elements.enumerated() {
        guard let start = states.start(of: state) else { continue }
        switch element {
        case .literal(scalar): add(state + 1, start: start, to: &next)
        case .literal: break
        case .one where scalar != "\n": add(state + 1, start: start, to: &next)
        case .many where scalar != "\n": add(state, start: start, to: &next)
        case .one, .many: break
        }
      }
      return next
    }

    /// Enters a state and those that can be reached from it without a character.
    private func add(_ state: Int, start: Int, to states: inout States) {
      var state = state
      states.enter(state, start: start)
      while state < elements.count, case .many = elements[state] {
        state += 1
        states.enter(state, start: start)
      }
    }

    /// For each place in the pattern, the earliest start of a match that has come so far.
    private struct States {
      private var starts: [Int?]
      private(set) var isEmpty = true

      init(count: Int) {
        starts = Array(repeating: nil, count: count + 1)
      }

      func isActive(_ state: Int) -> Bool { starts[state] != nil }

      func start(of state: Int) -> Int? { starts[state] }

      mutating func enter(_ state: Int, start: Int) {
        starts[state] = min(starts[state] ?? start, start)
        isEmpty = false
      }

      mutating func drop(startingAfter start: Int) {
        isEmpty = true
        for state in starts.indices.dropLast() {
          guard let own = starts[state] else { continue }
          if own > start { starts[state] = nil } else { isEmpty = false }
        }
        starts[starts.count - 1] = nil
      }
    }
  }
}
