import PipelineDSL

/// One path component of a wildcard, with the meaning that Go's `filepath.Match` gives it (C4).
///
/// `*` and `?` stand for bytes other than `/`, `[a-z]` and `[^a-z]` for one byte of a class, and a
/// backslash takes the meaning from what follows it.
struct GlobPattern: Sendable {
  let bytes: [UInt8]
  /// False where the pattern is a name: then it is compared as it is, backslashes included.
  let hasWildcard: Bool

  /// Checks the pattern; nil where a class does not end or the last byte is a backslash.
  init?(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
    hasWildcard = Self.hasWildcard(self.bytes)
    guard !hasWildcard || Self.isWellFormed(self.bytes) else { return nil }
  }

  /// Whether a component holds a wildcard that no backslash protects.
  static func hasWildcard(_ bytes: some Collection<UInt8>) -> Bool {
    var isEscaped = false
    for byte in bytes {
      if isEscaped {
        isEscaped = false
        continue
      }
      switch byte {
      case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["): return true
      case UInt8(ascii: "\\"): isEscaped = true
      default: break
      }
    }
    return false
  }

  /// Whether a name matches from its first byte to its last.
  func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    if !hasWildcard { return name.elementsEqual(bytes) }
    return bytes.withUnsafeBufferPointer { Self.match($0, name) }
  }

  /// Tries the last star again with one more byte whenever what follows it does not fit.
  private static func match(
    _ pattern: UnsafeBufferPointer<UInt8>, _ name: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    var position = 0
    var index = 0
    var retry: (position: Int, index: Int)?
    while true {
      if position < pattern.count && pattern[position] == UInt8(ascii: "*") {
        position += 1
        retry = (position, index)
        continue
      }
      if index == name.count && position == pattern.count { return true }
      if index < name.count, position < pattern.count,
        let next = matchOne(pattern, at: position, name[index])
      {
        position = next
        index += 1
        continue
      }
      guard let last = retry, last.index < name.count else { return false }
      retry = (last.position, last.index + 1)
      position = last.position
      index = last.index + 1
    }
  }

  /// The position after the part of the pattern that matches one byte, nil where it does not.
  private static func matchOne(
    _ pattern: UnsafeBufferPointer<UInt8>, at start: Int, _ byte: UInt8
  ) -> Int? {
    var position = start
    switch pattern[position] {
    case UInt8(ascii: "?"): return position + 1
    case UInt8(ascii: "\\"): return pattern[position + 1] == byte ? position + 2 : nil
    case UInt8(ascii: "["):
      position += 1
      let isNegated = pattern[position] == UInt8(ascii: "^")
      if isNegated { position += 1 }
      var isFound = false
      repeat {
        let low = classByte(pattern, &position)
        var high = low
        if pattern[position] == UInt8(ascii: "-") {
          position += 1
          high = classByte(pattern, &position)
        }
        if low <= byte && byte <= high { isFound = true }
      } while pattern[position] != UInt8(ascii: "]")
      return isFound != isNegated ? position + 1 : nil
    default: return pattern[position] == byte ? position + 1 : nil
    }
  }

  private static func classByte(
    _ pattern: UnsafeBufferPointer<UInt8>, _ position: inout Int
  ) -> UInt8 {
    if pattern[position] == UInt8(ascii: "\\") { position += 1 }
    defer { position += 1 }
    return pattern[position]
  }

  private static func isWellFormed(_ bytes: [UInt8]) -> Bool {
    var position = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\\"):
        guard position + 1 < bytes.count else { return false }
        position += 2
      case UInt8(ascii: "["):
        position += 1
        if position < bytes.count && bytes[position] == UInt8(ascii: "^") { position += 1 }
        var count = 0
        while true {
          guard position < bytes.count else { return false }
          if bytes[position] == UInt8(ascii: "]") && count > 0 { break }
          guard skipClassByte(bytes, &position) else { return false }
          if position < bytes.count && bytes[position] == UInt8(ascii: "-") {
            position += 1
            guard skipClassByte(bytes, &position) else { return false }
          }
          count += 1
        }
        position += 1
      default: position += 1
      }
    }
    return true
  }

  /// Inside a class, `-` and `]` need a backslash to stand for themselves.
  private static func skipClassByte(_ bytes: [UInt8], _ position: inout Int) -> Bool {
    guard position < bytes.count, bytes[position] != UInt8(ascii: "-"),
      bytes[position] != UInt8(ascii: "]")
    else { return false }
    if bytes[position] == UInt8(ascii: "\\") { position += 1 }
    position += 1
    return position <= bytes.count
  }
}
