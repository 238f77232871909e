import CLinux
import Glibc

/// The `/dev` of a command: a file system of its own with the few devices that are harmless.
struct DeviceTree {
  let mount: SharedDescriptor
  let terminals: SharedDescriptor
  let sharedMemory: SharedDescriptor

  private static let devices: [(name: String, major: UInt32, minor: UInt32)] = [
    ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9),
    ("tty", 5, 0),
  ]

  private static let links = [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"), ("ptmx", "pts/ptmx"),
  ]

  init() throws(SystemError) {
    mount = try DetachedMount.make(
      "tmpfs", [("mode", "755"), ("size", "65536k")], attributes: CLINUX_MOUNT_NOSUID)
    terminals = try DetachedMount.make(
      "devpts", [("ptmxmode", "0666"), ("mode", "0620"), ("gid", "5")],
      attributes: CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NOEXEC)
    sharedMemory = try DetachedMount.make(
      "tmpfs", [("mode", "1777"), ("size", "65536k")],
      attributes: CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NODEV | CLINUX_MOUNT_NOEXEC)
    for name in ["pts", "shm", "mqueue"] {
      guard mkdirat(mount.raw, name, 0o755) == 0, fchmodat(mount.raw, name, 0o755, 0) == 0 else {
        throw SystemError("mkdir", path: Array("/dev/\(name)".utf8))
      }
    }
    for device in Self.devices {
      guard
        mknodat(mount.raw, device.name, S_IFCHR | 0o666, dev_t(device.major << 8 | device.minor))
          == 0,
        fchmodat(mount.raw, device.name, 0o666, 0) == 0
      else { throw SystemError("mknod", path: Array("/dev/\(device.name)".utf8)) }
    }
    for (name, target) in Self.links {
      guard symlinkat(target, mount.raw, name) == 0 else {
        throw SystemError("symlink", path: Array("/dev/\(name)".utf8))
      }
    }
  }
}
