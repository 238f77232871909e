import CLinux
import Glibc
import Synchronization
import SystemPackage

/// Finds out whether the kernel runs programs for a processor, by giving it one that does nothing.
///
/// That counts what it runs by itself (386 on amd64, arm on some arm64) and emulators, wherever
/// they are registered; the list of those is not visible everywhere.
enum ProgramTrial {
  enum Outcome: Hashable, Sendable {
    /// It runs in any root: by itself, or by an emulator registered with the flag F.
    case runs
    /// An emulator is registered that every root has to bring itself.
    case needsInterpreter
    case refused
    /// There is no trial for this processor.
    case unknown
  }

  /// What a program for a processor looks like.
  private struct Format {
    var machine: UInt16
    var is64Bit = true
    var isBigEndian = false
    var flags: UInt32 = 0
    /// Instructions of the call `exit(0)`.
    var code: [UInt8]
  }

  private static let formats: [String: Format] = [
    "386": Format(
      machine: 3, is64Bit: false, code: [0xB8, 1, 0, 0, 0, 0x31, 0xDB, 0xCD, 0x80]),
    "amd64": Format(machine: 62, code: [0xB8, 0x3C, 0, 0, 0, 0x31, 0xFF, 0x0F, 0x05]),
    "arm": Format(
      machine: 40, is64Bit: false, flags: 0x0500_0000,
      code: words(0xE3A0_0000, 0xE3A0_7001, 0xEF00_0000)),
    "arm64": Format(machine: 183, code: words(0xD280_0000, 0xD280_0BA8, 0xD400_0001)),
    "loong64": Format(
      machine: 258, flags: 0x43, code: words(0x0280_0004, 0x0281_740B, 0x002B_0000)),
    "mips64le": Format(
      machine: 8, flags: 0x8000_0007, code: words(0x2402_13C2, 0x2404_0000, 0x0000_000C)),
    "ppc64le": Format(
      machine: 21, flags: 2, code: words(0x3800_0001, 0x3860_0000, 0x4400_0002)),
    "riscv64": Format(
      machine: 243, flags: 5, code: words(0x0000_0513, 0x05D0_0893, 0x0000_0073)),
    "s390x": Format(machine: 22, isBigEndian: true, code: [0xA7, 0x29, 0, 0, 0x0A, 0x01]),
  ]

  private static let known = Mutex<[String: Outcome]>([:])

  /// The outcome for a processor named as Go names it; `empty` is a directory with nothing in it.
  static func outcome(_ architecture: String, empty: FilePath) -> Outcome {
    if let outcome = known.withLock({ $0[architecture] }) { return outcome }
    let outcome = attempt(architecture, empty)
    known.withLock { $0[architecture] = outcome }
    return outcome
  }

  private static func attempt(_ architecture: String, _ empty: FilePath) -> Outcome {
    guard let format = formats[architecture] else { return .unknown }
    let raw = clinux_memory_file("trial")
    guard raw >= 0 else { return .unknown }
    let file = OwnedDescriptor(owning: raw)
    let program = program(format)
    guard write(file.raw, program, program.count) == program.count,
      let reopened = try? TreeAccess.reopen(file.raw, flags: O_RDONLY), (try? file.close()) != nil
    else { return .unknown }
    switch empty.withPlatformString({ clinux_try_program(reopened.raw, $0) }) {
    case 0: return .runs
    case ENOENT: return .needsInterpreter
    case ENOEXEC: return .refused
    default: return .unknown
    }
  }

  /// An ELF file of one segment.
  private static func program(_ format: Format) -> [UInt8] {
    var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, format.is64Bit ? 2 : 1]
    bytes += [format.isBigEndian ? 2 : 1, 1] + [UInt8](repeating: 0, count: 9)
    func add(_ value: UInt64, _ count: Int) {
      let little = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      bytes += format.isBigEndian ? little.reversed() : little
    }
    let word = format.is64Bit ? 8 : 4
    let headerSize = format.is64Bit ? 64 : 52
    let segmentSize = format.is64Bit ? 56 : 32
    let start: UInt64 = 0x40_0000
    let size = UInt64(headerSize + segmentSize + format.code.count)
    // ET_EXEC, the processor, version 1, entry, segments, sections, flags, sizes and counts.
    add(2, 2)
    add(UInt64(format.machine), 2)
    add(1, 4)
    add(start + UInt64(headerSize + segmentSize), word)
    add(UInt64(headerSize), word)
    add(0, word)
    add(UInt64(format.flags), 4)
    for value in [headerSize, segmentSize, 1, 0, 0, 0] { add(UInt64(value), 2) }
    // PT_LOAD, to be read and executed.
    add(1, 4)
    if format.is64Bit { add(5, 4) }
    for value in [0, start, start, size, size] { add(value, word) }
    if !format.is64Bit { add(5, 4) }
    add(0x10000, word)
    return bytes + format.code
  }

  private static func words(_ words: UInt32...) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }
}
