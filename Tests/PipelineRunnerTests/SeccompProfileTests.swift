import Glibc
import Testing

@testable import PipelineRunner

/// Numbers are those of x86-64, which the tests run on.
@Suite struct SeccompProfileTests {
  private static let allow: UInt32 = 0x7FFF_0000
  private static func fails(_ code: CInt) -> UInt32 { 0x0005_0000 | UInt32(code) }

  let filter: FilterMachine

  init() {
    filter = FilterMachine(code: SeccompProfile.program)
  }

  @Test(
    "what builds need is allowed",
    arguments: [
      ("read", 0), ("open", 2), ("execve", 59), ("ptrace", 101), ("chroot", 161), ("mknod", 133),
      ("openat2", 437), ("futex_waitv", 449), ("fchmodat2", 452), ("mseal", 462),
    ] as [(String, UInt32)])
  func allowed(name: String, number: UInt32) {
    #expect(filter.answer(number) == Self.allow)
  }

  @Test(
    "what leads out of containers is refused (threat 25)",
    arguments: [
      ("mount", 165), ("umount2", 166), ("pivot_root", 155), ("unshare", 272), ("setns", 308),
      ("bpf", 321), ("keyctl", 250), ("add_key", 248), ("request_key", 249),
      ("userfaultfd", 323), ("perf_event_open", 298), ("kexec_load", 246), ("init_module", 175),
      ("open_by_handle_at", 304), ("reboot", 169), ("settimeofday", 164), ("io_uring_setup", 425),
      ("move_mount", 429), ("fsopen", 430), ("mount_setattr", 442), ("swapon", 167),
    ] as [(String, UInt32)])
  func refused(name: String, number: UInt32) {
    #expect(filter.answer(number) == Self.fails(EPERM))
  }

  @Test("clone makes processes and no namespaces; clone3, whose flags cannot be seen, is not there")
  func clone() {
    #expect(filter.answer(56, [0x0120_0011]) == Self.allow)
    for flag: UInt64 in [0x2_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000, 0x0400_0000] {
      #expect(filter.answer(56, [flag | 17]) == Self.fails(EPERM))
    }
    #expect(filter.answer(435) == Self.fails(ENOSYS))
  }

  @Test("sockets reach networks and not the machine below")
  func sockets() {
    #expect(filter.answer(41, [1]) == Self.allow)
    #expect(filter.answer(41, [40]) == Self.fails(EPERM))
  }

  @Test("only harmless execution domains")
  func personality() {
    #expect(filter.answer(135, [0xFFFF_FFFF]) == Self.allow)
    #expect(filter.answer(135, [0x8]) == Self.allow)
    #expect(filter.answer(135, [0x40000]) == Self.fails(EPERM))
  }

  @Test("calls of the future are not there, so that libraries fall back")
  func future() {
    #expect(filter.answer(467) == Self.fails(ENOSYS))
    #expect(filter.answer(9999) == Self.fails(ENOSYS))
  }

  @Test("32-bit programs are held to the same rules; x32 is not there, nor anything foreign")
  func architectures() {
    let i386: UInt32 = 0x4000_0003
    #expect(filter.answer(3, architecture: i386) == Self.allow)
    #expect(filter.answer(21, architecture: i386) == Self.fails(EPERM))
    #expect(filter.answer(120, [0x1000_0011], architecture: i386) == Self.fails(EPERM))
    #expect(filter.answer(0x4000_0000) == Self.fails(ENOSYS))
    #expect(filter.answer(0, architecture: 0xC000_00B7) == Self.fails(ENOSYS))
  }
}
