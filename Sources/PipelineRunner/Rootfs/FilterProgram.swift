import Glibc

/// A seccomp filter as the kernel's classic BPF: a binary search over the numbers of system calls.
struct FilterProgram {
  /// What happens to a system call.
  enum Rule: Hashable {
    case allow
    /// It fails with EPERM.
    case refuse
    /// It fails with ENOSYS, as on a kernel that does not have it.
    case missing
    /// It waits until whoever listens to the filter has answered it.
    case ask
    /// Allowed where the first argument is one of these.
    case allowIf([UInt32])
    /// Allowed unless the first argument is this.
    case allowUnless(UInt32)
    /// Allowed unless the first argument has any of these bits.
    case allowUnlessAnyBit(UInt32)
  }

  /// A rule that holds from a number to that of the next entry.
  struct Entry: Hashable {
    var first: UInt32
    var rule: Rule
  }

  private struct Instruction {
    var operation: UInt16
    var whenTrue: UInt8 = 0
    var whenFalse: UInt8 = 0
    var value: UInt32
  }

  private var code: [Instruction] = []

  /// Compiles the entries of each instruction set; each list begins at number 0.
  init(_ sets: [(architecture: UInt32, rules: [Entry])]) {
    // The architecture, in the second word of what the kernel lays out.
    code.append(Instruction(operation: Self.load, value: 4))
    for (architecture, rules) in sets {
      let body = [Instruction(operation: Self.load, value: 0)] + Self.search(rules[...])
      code.append(
        Instruction(operation: Self.jumpIfEqual, whenTrue: 1, value: architecture))
      code.append(Instruction(operation: Self.jump, value: UInt32(body.count)))
      code += body
    }
    code.append(Self.fail(ENOSYS))
  }

  /// The program as the kernel takes it, eight bytes an instruction.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(code.count * 8)
    for instruction in code {
      withUnsafeBytes(of: instruction.operation) { bytes.append(contentsOf: $0) }
      bytes.append(instruction.whenTrue)
      bytes.append(instruction.whenFalse)
      withUnsafeBytes(of: instruction.value) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  // MARK: - Compiling

  private static let load: UInt16 = 0x20
  private static let jump: UInt16 = 0x05
  private static let jumpIfEqual: UInt16 = 0x15
  private static let jumpIfAtLeast: UInt16 = 0x35
  private static let jumpIfAnyBit: UInt16 = 0x45
  private static let answer: UInt16 = 0x06

  private static let allow = Instruction(operation: answer, value: 0x7FFF_0000)

  private static func fail(_ code: CInt) -> Instruction {
    Instruction(operation: answer, value: 0x0005_0000 | UInt32(code))
  }

  private static func search(_ entries: ArraySlice<Entry>) -> [Instruction] {
    guard entries.count > 1 else { return entries.first.map { leaf($0.rule) } ?? [] }
    let middle = entries.startIndex + entries.count / 2
    let lower = search(entries[..<middle])
    let upper = search(entries[middle...])
    // A condition jumps 255 instructions at most, so the way over the lower half has its own jump.
    return [
      Instruction(
        operation: jumpIfAtLeast, whenFalse: 1, value: entries[middle].first),
      Instruction(operation: jump, value: UInt32(lower.count)),
    ] + lower + upper
  }

  private static func leaf(_ rule: Rule) -> [Instruction] {
    switch rule {
    case .allow: [allow]
    case .refuse: [fail(EPERM)]
    case .missing: [fail(ENOSYS)]
    case .ask: [Instruction(operation: answer, value: 0x7FC0_0000)]
    case .allowIf(let values):
      [firstArgument]
        + values.flatMap {
          [Instruction(operation: jumpIfEqual, whenFalse: 1, value: $0), allow]
        } + [fail(EPERM)]
    case .allowUnless(let value):
      [
        firstArgument, Instruction(operation: jumpIfEqual, whenFalse: 1, value: value),
        fail(EPERM), allow,
      ]
    case .allowUnlessAnyBit(let bits):
      [
        firstArgument, Instruction(operation: jumpIfAnyBit, whenFalse: 1, value: bits),
        fail(EPERM), allow,
      ]
    }
  }

  /// The lower half of the first argument; the kernel takes these as 32-bit values.
  private static var firstArgument: Instruction {
    #if _endian(big)
      Instruction(operation: load, value: 20)
    #else
      Instruction(operation: load, value: 16)
    #endif
  }
}
