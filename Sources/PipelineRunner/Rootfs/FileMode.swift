import PipelineDSL

/// The value of `--chmod`: octal digits, or clauses as chmod(1) reads them with a umask of 0 (C9).
struct FileMode: Hashable, Sendable {
  private enum Change: Hashable {
    case exact(UInt32)
    case clauses([Clause])
  }

  private struct Clause: Hashable {
    /// The bits of those it speaks of: `u` is 04700, `g` 02070, `o` 0007, `a` 07777.
    var who: UInt32
    var operation: UInt8
    /// Bits for everyone; masked by `who` when applied.
    var bits: UInt32
    /// `X`: execution for directories and for what somebody may execute already.
    var hasConditionalExecute: Bool
    /// `g=u`: the shift of the class whose bits are copied.
    var copiedShift: UInt32?
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
    var clauses: [Clause] = []
    for part in bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard Self.read(part, into: &clauses) else {
        throw Diagnostic(
          "'\(text)' is no file mode", at: location,
          help: "write an octal mode such as 755, or clauses such as u=rwX,go=rX")
      }
    }
    change = .clauses(clauses)
  }

  /// The permission bits, setuid and its like included, that a file gets.
  func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
    switch change {
    case .exact(let value): return value
    case .clauses(let clauses):
      var result = mode & 0o7777
      for clause in clauses {
        var bits = clause.bits
        if clause.hasConditionalExecute && (isDirectory || mode & 0o111 != 0) { bits |= 0o111 }
        if let shift = clause.copiedShift {
          bits |= ((result >> shift) & 0o7) * 0o111
        }
        bits &= clause.who
        switch clause.operation {
        case UInt8(ascii: "+"): result |= bits
        case UInt8(ascii: "-"): result &= ~bits
        default: result = result & ~clause.who | bits
        }
      }
      return result
    }
  }

  /// Reads one clause, `[ugoa]*([-+=]([rwxXst]*|[ugo]))+`.
  private static func read(_ part: ArraySlice<UInt8>, into clauses: inout [Clause]) -> Bool {
    var rest = part
    var who: UInt32 = 0
    while let byte = rest.first, let bits = classBits(byte) {
      who |= bits
      rest.removeFirst()
    }
    if who == 0 { who = 0o7777 }
    if rest.isEmpty { return false }
    while let operation = rest.popFirst() {
      guard
        operation == UInt8(ascii: "+") || operation == UInt8(ascii: "-")
          || operation == UInt8(ascii: "=")
      else { return false }
      var clause = Clause(who: who, operation: operation, bits: 0, hasConditionalExecute: false)
      if let byte = rest.first, let shift = copyShift(byte) {
        clause.copiedShift = shift
        rest.removeFirst()
      } else {
        loop: while let byte = rest.first {
          switch byte {
          case UInt8(ascii: "r"): clause.bits |= 0o444
          case UInt8(ascii: "w"): clause.bits |= 0o222
          case UInt8(ascii: "x"): clause.bits |= 0o111
          case UInt8(ascii: "X"): clause.hasConditionalExecute = true
          case UInt8(ascii: "s"): clause.bits |= 0o6000
          case UInt8(ascii: "t"): clause.bits |= 0o1000
          default: break loop
          }
          rest.removeFirst()
        }
      }
      clauses.append(clause)
    }
    return true
  }

  private static func classBits(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "u"): 0o4700
    case UInt8(ascii: "g"): 0o2070
    case UInt8(ascii: "o"): 0o1007
    case UInt8(ascii: "a"): 0o7777
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
