import PipelineDSL

/// The value of `--chmod`: octal digits, or clauses as chmod(1) reads them with a umask of 0 (C9).
struct FileMode: Hashable, Sendable {
  private enum Change: Hashable {
    case exact(UInt32)
    case clauses([Step])
  }

  /// What one part of a clause does; the steps of all clauses apply in order.
  private enum Step: Hashable {
    case set(UInt32)
    case clear(UInt32)
    /// `+X`: bits for directories and for what somebody may execute already.
    case setIfExecutable(UInt32)
    /// `g=u`: the bits at a shift go to classes, a mask of their `rwx`, by `+`, `-` or `=`.
    case copy(shift: UInt32, classes: UInt32, operation: UInt8)
  }

  private let change: Change

  /// The value of an octal mode, which also counts for created parents (C7); nil for clauses.
  var octal: UInt32? {
    if case .exact(let mode) = change { mode } else { nil }
  }

  /// Reads the text of `--chmod`.
  init(_ text: String, at location: SourceLocation?) throws(Diagnostic) {
    let bytes = Array(text.utf8)
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    if let first = bytes.first, digits.contains(first) {
      guard let value = UInt32(text, radix: 8), value <= 0o7777 else {
        throw Diagnostic(
          "'\(text)' is no file mode", at: location, help: "octal modes go from 0 to 7777")
      }
      change = .exact(value)
      return
    }
    var steps: [Step] = []
    for part in bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard Self.read(part, into: &steps) else {
        throw Diagnostic(
          "'\(text)' is no file mode", at: location,
          help: "write an octal mode such as 755, or clauses such as u=rwX,go=rX")
      }
    }
    change = .clauses(steps)
  }

  /// The permission bits, setuid and its like included, that a file gets.
  func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
    switch change {
    case .exact(let value): return value
    case .clauses(let steps):
      var result = mode & 0o7777
      for step in steps {
        switch step {
        case .set(let bits): result |= bits
        case .clear(let bits): result &= ~bits
        case .setIfExecutable(let bits):
          if isDirectory || mode & 0o111 != 0 { result |= bits }
        case .copy(let shift, let classes, let operation):
          let bits = ((result >> shift) & 0o7) * 0o111 & classes
          switch operation {
          case UInt8(ascii: "+"): result |= bits
          case UInt8(ascii: "-"): result &= ~bits
          default: result = result & ~classes | bits
          }
        }
      }
      return result
    }
  }

  /// Reads one clause, `[ugoa]*([-+=][rwxXstugo]*)+`, as BSD's setmode(3) does.
  private static func read(_ part: ArraySlice<UInt8>, into steps: inout [Step]) -> Bool {
    var rest = part
    var who: UInt32 = 0
    while let byte = rest.first, let bits = classBits(byte) {
      who |= bits
      rest.removeFirst()
    }
    if rest.isEmpty { return false }
    // `s` and `t` mean nothing to others alone, and `=` touches the sticky bit only beside `t`.
    let hasSpecialBits = who == 0 || who & ~0o7 != 0
    while let operation = rest.popFirst() {
      guard
        operation == UInt8(ascii: "+") || operation == UInt8(ascii: "-")
          || operation == UInt8(ascii: "=")
      else { return false }
      var values = Values(who: who, operation: operation)
      loop: while let byte = rest.first {
        switch byte {
        case UInt8(ascii: "r"): values.bits |= 0o444
        case UInt8(ascii: "w"): values.bits |= 0o222
        case UInt8(ascii: "x"): values.bits |= 0o111
        case UInt8(ascii: "X"): values.hasConditionalExecute = true
        case UInt8(ascii: "s"): if hasSpecialBits { values.bits |= 0o6000 }
        case UInt8(ascii: "t"): if hasSpecialBits { values.bits |= 0o1000 }
        default:
          guard let shift = copyShift(byte) else { break loop }
          steps += values.steps(beforeCopy: true)
          values.bits = 0
          values.hasConditionalExecute = false
          values.isAssigned = true
          let classes = who == 0 ? 0o777 : who & 0o777
          steps.append(.copy(shift: shift, classes: classes, operation: operation))
        }
        rest.removeFirst()
      }
      steps += values.steps(beforeCopy: false)
    }
    return true
  }

  /// The letters after one operator.
  private struct Values {
    let who: UInt32
    let operation: UInt8
    var bits: UInt32 = 0
    var hasConditionalExecute = false
    /// `=` clears once, then it adds.
    var isAssigned = false

    init(who: UInt32, operation: UInt8) {
      self.who = who
      self.operation = operation
    }

    func steps(beforeCopy: Bool) -> [Step] {
      var steps: [Step] = []
      let sticky = bits & 0o1000
      // Beside `t`, no class means the sticky bit alone.
      let targets = who == 0 && sticky == 0 ? 0o7777 : who | sticky
      switch operation {
      case UInt8(ascii: "+"): if bits != 0 { steps.append(.set(bits & targets)) }
      case UInt8(ascii: "-"):
        // Where nothing may be executed, `-X` and `-x` are the same.
        let executes: UInt32 = hasConditionalExecute ? 0o111 : 0
        if bits | executes != 0 { steps.append(.clear((bits | executes) & targets)) }
        return steps
      default:
        if bits != 0 || !(beforeCopy || isAssigned) {
          steps.append(.clear(targets == 0o7777 ? 0o6777 : targets))
          steps.append(.set(bits & targets))
        }
      }
      if hasConditionalExecute { steps.append(.setIfExecutable(0o111 & targets)) }
      return steps
    }
  }

  private static func classBits(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "u"): 0o4700
    case UInt8(ascii: "g"): 0o2070
    case UInt8(ascii: "o"): 0o0007
    case UInt8(ascii: "a"): 0o6777
    default: nil
    }
  }

  private static func copyShift(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "u"): 6
    case UInt8(ascii: "g"): 3
    case UInt8(ascii: "o"): 0
    default: nil
    }
  }
}
