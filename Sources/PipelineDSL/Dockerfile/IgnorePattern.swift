/// One compiled pattern of an ignore file.
///
/// A set of states is carried over the path, one bit each, so that time is bounded by the path's
/// length times the pattern's. Most patterns are decided before that: by what their match must
/// begin or end with.
struct IgnorePattern: Sendable {
  /// Why a pattern cannot be compiled.
  struct Malformed: Error {
    var reason: String
  }

  let isException: Bool

  private let elements: [Element]
  /// What every match begins with.
  private let head: [UInt8]
  /// What every match ends with.
  private let tail: [UInt8]
  /// True where head and elements say the same: the pattern is one name.
  private let isExact: Bool

  /// One step of a pattern.
  private enum Element: Sendable {
    case scalar(UInt32)
    /// `?`
    case one
    /// `*`
    case many
    case oneOf(ranges: [ClosedRange<UInt32>], isNegated: Bool)
    /// `**` before something: nothing, or anything up to a slash. The following element is its inside.
    case directories
    case insideDirectories
    /// `**` at the end, or at the start of a plain name.
    case anything
  }

  /// Compiles a cleaned path.
  init(_ path: ArraySlice<UInt8>, isException: Bool) throws(Malformed) {
    self.isException = isException
    elements = try Self.elements(path)
    head = Self.bytes(
      elements.prefix { if case .scalar = $0 { true } else { false } })
    tail = Self.bytes(
      elements.suffix(
        elements.reversed().prefix { if case .scalar = $0 { true } else { false } }.count)[...])
    isExact = elements.allSatisfy { if case .scalar = $0 { true } else { false } }
  }

  // MARK: - Matching

  /// Whether the pattern matches a path or one of its parents.
  func matches(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    guard hasHead(path) else { return false }
    if isExact { return path.count == head.count || path[head.count] == Self.slash }
    guard mayEnd(in: path) else { return false }
    return run(path) { _ in true }
  }

  /// The ends of those parents, and of the path itself, that the pattern matches.
  func matchedEnds(_ path: UnsafeBufferPointer<UInt8>) -> [Int] {
    guard hasHead(path), mayEnd(in: path) else { return [] }
    // What ends as it must and is no longer than its name is matched there and nowhere else.
    if isExact { return matches(path) ? [head.count] : [] }
    var ends: [Int] = []
    _ = run(path) { end in
      ends.append(end)
      return false
    }
    return ends
  }

  /// Whether any path below a directory could match.
  func mayMatch(below directory: [UInt8]) -> Bool {
    let path = directory + [Self.slash]
    return path.withUnsafeBufferPointer { path in
      var isAlive = false
      _ = run(path, afterAll: { isAlive = $0 }, atEnd: { _ in false })
      return isAlive
    }
  }

  private func hasHead(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    guard path.count >= head.count else { return false }
    for index in head.indices where path[index] != head[index] { return false }
    return true
  }

  /// Whether some parent, or the path itself, ends as a match must.
  private func mayEnd(in path: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let last = tail.last else { return true }
    var end = tail.count
    while end <= path.count {
      if path[end - 1] == last, end == path.count || path[end] == Self.slash,
        tail.indices.allSatisfy({ path[end - tail.count + $0] == tail[$0] })
      {
        return true
      }
      end += 1
    }
    return false
  }

  private static let slash = UInt8(ascii: "/")

  /// Carries the states over the path; at each end of a component where the pattern matches,
  /// `atEnd` says whether that is enough.
  private func run(
    _ path: UnsafeBufferPointer<UInt8>, afterAll: (Bool) -> Void = { _ in },
    atEnd: (Int) -> Bool
  ) -> Bool {
    let count = elements.count / UInt64.bitWidth + 1
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count * 2) { words in
      var current = States(UnsafeMutableBufferPointer(rebasing: words[..<count]))
      var next = States(UnsafeMutableBufferPointer(rebasing: words[count...]))
      enter(0, &current)
      var index = 0
      while index < path.count {
        let (scalar, length) = Self.scalar(at: index, in: path)
        next.clear()
        var isAlive = false
        current.visit { state in
          isAlive = step(state, scalar, &next) || isAlive
        }
        index += length
        swap(&current, &next)
        guard isAlive else { return false }
        let isEnd = index == path.count || path[index] == Self.slash
        if isEnd, current.contains(elements.count), atEnd(index) { return true }
      }
      afterAll(true)
      return false
    }
  }

  /// Takes one character in one state; false where that state dies.
  private func step(_ state: Int, _ scalar: UInt32, _ next: inout States) -> Bool {
    guard state < elements.count else { return false }
    let isSlash = scalar == UInt32(Self.slash)
    switch elements[state] {
    case .scalar(let expected):
      guard scalar == expected else { return false }
      enter(state + 1, &next)
    case .one:
      guard !isSlash else { return false }
      enter(state + 1, &next)
    case .many:
      guard !isSlash else { return false }
      enter(state, &next)
    case .oneOf(let ranges, let isNegated):
      guard ranges.contains(where: { $0.contains(scalar) }) != isNegated else { return false }
      enter(state + 1, &next)
    case .directories: return false
    case .insideDirectories:
      next.insert(state)
      if isSlash { enter(state + 1, &next) }
    case .anything: enter(state, &next)
    }
    return true
  }

  /// Enters a state and those that follow without a character.
  private func enter(_ state: Int, _ states: inout States) {
    var state = state
    while true {
      states.insert(state)
      guard state < elements.count else { return }
      switch elements[state] {
      case .many, .anything: state += 1
      case .directories:
        states.insert(state + 1)
        state += 2
      default: return
      }
    }
  }

  /// A set of small numbers in memory that somebody else owns.
  private struct States {
    private let words: UnsafeMutableBufferPointer<UInt64>

    init(_ words: UnsafeMutableBufferPointer<UInt64>) {
      words.initialize(repeating: 0)
      self.words = words
    }

    func clear() {
      for index in words.indices { words[index] = 0 }
    }

    func insert(_ state: Int) {
      words[state / UInt64.bitWidth] |= 1 << UInt64(state % UInt64.bitWidth)
    }

    func contains(_ state: Int) -> Bool {
      words[state / UInt64.bitWidth] & 1 << UInt64(state % UInt64.bitWidth) != 0
    }

    func visit(_ body: (Int) -> Void) {
      for index in words.indices {
        var word = words[index]
        while word != 0 {
          body(index * UInt64.bitWidth + word.trailingZeroBitCount)
          word &= word - 1
        }
      }
    }
  }

  // MARK: - Characters

  /// A byte that is part of no character counts as one of its own, beyond all of Unicode.
  private static func scalar(
    at index: Int, in path: UnsafeBufferPointer<UInt8>
  ) -> (UInt32, length: Int) {
    let first = path[index]
    if first < 0x80 { return (UInt32(first), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    let lone = (0x11_0000 + UInt32(first), 1)
    guard first >= 0xC2, first <= 0xF4, index + length <= path.count else { return lone }
    var value = UInt32(first) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length {
      let byte = path[index + offset]
      guard byte & 0xC0 == 0x80 else { return lone }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return (value, length)
  }

  private static func scalars(_ path: ArraySlice<UInt8>) -> [UInt32] {
    Array(path).withUnsafeBufferPointer { path in
      var scalars: [UInt32] = []
      var index = 0
      while index < path.count {
        let (scalar, length) = scalar(at: index, in: path)
        scalars.append(scalar)
        index += length
      }
      return scalars
    }
  }

  private static func bytes(_ elements: ArraySlice<Element>) -> [UInt8] {
    var bytes: [UInt8] = []
    for case .scalar(let value) in elements {
      if value >= 0x11_0000 {
        bytes.append(UInt8(truncatingIfNeeded: value))
      } else if let scalar = Unicode.Scalar(value) {
        bytes += Array(String(scalar).utf8)
      }
    }
    return bytes
  }

  // MARK: - Compiling

  private static func elements(_ path: ArraySlice<UInt8>) throws(Malformed) -> [Element] {
    let scalars = scalars(path)
    var elements: [Element] = []
    var rest = scalars[...]
    while let scalar = rest.popFirst() {
      switch Unicode.Scalar(scalar) {
      case "*" where rest.first == 0x2A:
        rest.removeFirst()
        let isFirst = elements.isEmpty
        let crossesWhole = rest.first != UInt32(slash)
        if !crossesWhole { rest.removeFirst() }
        if rest.isEmpty {
          elements.append(.anything)
        } else if isFirst, crossesWhole, isPlain(rest) {
          // `**.log` is any path that ends so: moby compares the ends of plain names only.
          elements.append(.anything)
        } else {
          elements += [.directories, .insideDirectories]
        }
      case "*": elements.append(.many)
      case "?": elements.append(.one)
      case "[": elements.append(try oneOf(&rest))
      case "\\":
        guard let escaped = rest.popFirst() else {
          throw Malformed(reason: "nothing follows the escape '\\'")
        }
        elements.append(.scalar(escaped))
      default: elements.append(.scalar(scalar))
      }
    }
    return elements
  }

  private static func isPlain(_ scalars: ArraySlice<UInt32>) -> Bool {
    !scalars.contains { $0 < 0x80 && "*?[]\\".unicodeScalars.map(\.value).contains($0) }
  }

  /// Reads `a-z]` or `^a-z]` after the opening bracket, with Go's rules.
  private static func oneOf(_ rest: inout ArraySlice<UInt32>) throws(Malformed) -> Element {
    var ranges: [ClosedRange<UInt32>] = []
    let isNegated = rest.first == UInt32(UInt8(ascii: "^"))
    if isNegated { rest.removeFirst() }
    while true {
      if rest.first == UInt32(UInt8(ascii: "]")), !ranges.isEmpty {
        rest.removeFirst()
        return .oneOf(ranges: ranges, isNegated: isNegated)
      }
      let low = try member(&rest)
      var high = low
      if rest.first == UInt32(UInt8(ascii: "-")) {
        rest.removeFirst()
        high = try member(&rest)
      }
      guard low <= high else { throw Malformed(reason: "the range in brackets runs backwards") }
      ranges.append(low...high)
    }
  }

  private static func member(_ rest: inout ArraySlice<UInt32>) throws(Malformed) -> UInt32 {
    guard let scalar = rest.popFirst() else { throw Malformed(reason: "missing ']'") }
    switch Unicode.Scalar(scalar) {
    case "-", "]":
      throw Malformed(reason: "'-' and ']' in brackets need a '\\' before them")
    case "\\":
      guard let escaped = rest.popFirst() else { throw Malformed(reason: "missing ']'") }
      return escaped
    default: return scalar
    }
  }
}
