import PipelineDSL

/// The path of `COPY --parents` after its pivot, matched one component at a time (C10).
///
/// A state is the set of components that may come next, one bit each, so that a walk enters only
/// directories in which something can still match.
struct ParentsPattern {
  private enum Component {
    case name(GlobPattern)
    /// `**`: any number of components, none included.
    case anyDepth
  }

  private let components: [Component]
  /// True where no component holds a wildcard: then the path has to exist.
  let isPlain: Bool

  /// Splits a cleaned path; nil where a component is malformed or there are more than 60.
  init?(_ path: [UInt8]) {
    var components: [Component] = []
    var isPlain = true
    for part in path.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual("**".utf8) {
        components.append(.anyDepth)
        isPlain = false
      } else {
        guard let pattern = GlobPattern(part) else { return nil }
        if pattern.hasWildcard { isPlain = false }
        components.append(.name(pattern))
      }
    }
    guard components.count <= 60 else { return nil }
    self.components = components
    self.isPlain = isPlain
  }

  /// A state in which everything is included: the pattern has matched a parent.
  static let everything: UInt64 = .max

  /// The state at the pivot.
  var start: UInt64 { components.isEmpty ? Self.everything : closure(1) }

  /// The state below a name; 0 where neither the name nor anything below it can match.
  func next(_ state: UInt64, _ name: UnsafeBufferPointer<UInt8>) -> UInt64 {
    if state == Self.everything { return state }
    var result: UInt64 = 0
    for index in components.indices where state & (1 << UInt64(index)) != 0 {
      let isLast = index == components.count - 1
      switch components[index] {
      case .anyDepth:
        // A last `**` means everything below, not the directory itself (I4).
        if isLast { return Self.everything }
        result |= 1 << UInt64(index)
      case .name(let pattern):
        if !pattern.matches(name) { continue }
        if isLast { return Self.everything }
        result |= 1 << UInt64(index + 1)
      }
    }
    return closure(result)
  }

  /// The one name that can match in a state, so that a directory need not be listed.
  func onlyName(_ state: UInt64) -> [UInt8]? {
    guard state != Self.everything, state.nonzeroBitCount == 1,
      case .name(let pattern) = components[state.trailingZeroBitCount], !pattern.hasWildcard
    else { return nil }
    return pattern.bytes
  }

  /// A `**` that is not last may stand for nothing.
  private func closure(_ state: UInt64) -> UInt64 {
    var result = state
    for index in components.indices.dropLast() where result & (1 << UInt64(index)) != 0 {
      if case .anyDepth = components[index] { result |= 1 << UInt64(index + 1) }
    }
    return result
  }
}
