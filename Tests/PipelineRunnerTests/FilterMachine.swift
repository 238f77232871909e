@testable import PipelineRunner

/// Runs a seccomp program as the kernel would, so that its answers can be looked at.
struct FilterMachine {
  let code: [UInt8]

  /// What the filter answers: an action in the upper half, its data in the lower one.
  func answer(_ number: UInt32, _ arguments: [UInt64] = [], architecture: UInt32 = 0xC000_003E)
    -> UInt32
  {
    var data = [number, architecture, 0, 0]
    for index in 0..<6 {
      let value = index < arguments.count ? arguments[index] : 0
      data += [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)]
    }
    var accumulator: UInt32 = 0
    var memory = [UInt32](repeating: 0, count: 16)
    var counter = 0
    while counter * 8 < code.count {
      let base = counter * 8
      let operation = UInt16(code[base]) | UInt16(code[base + 1]) << 8
      let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(code[base + 4 + $1]) << (8 * $1) }
      counter += 1
      switch operation {
      case 0x20: accumulator = data[Int(value) / 4]
      case 0x60: accumulator = memory[Int(value)]
      case 0x02: memory[Int(value)] = accumulator
      case 0x54: accumulator &= value
      case 0x05: counter += Int(value)
      case 0x15: counter += Int(code[base + (accumulator == value ? 2 : 3)])
      case 0x25: counter += Int(code[base + (accumulator > value ? 2 : 3)])
      case 0x35: counter += Int(code[base + (accumulator >= value ? 2 : 3)])
      case 0x45: counter += Int(code[base + (accumulator & value != 0 ? 2 : 3)])
      case 0x06: return value
      default: return 0xDEAD_0000 | UInt32(operation)
      }
    }
    return 0xDEAD_FFFF
  }
}
