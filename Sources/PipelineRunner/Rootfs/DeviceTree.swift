import CLinux
import Glibc

/// The `/dev` of a command: a file system of its own with the few devices that are harmless.
struct DeviceTree {
  let mount: SharedDescriptor
  /// The machine's own devices by name, where none can be made: in a user namespace.
  let borrowed: [(name: String, mount: SharedDescriptor)]
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
      "devpts",
      [("ptmxmode", "0666"), ("mode", "0620")] + (FileRecord.keepsOwners ? [] : [("gid", "5")]),
      attributes: CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NOEXEC)
    sharedMemory = try DetachedMount.make(
      "tmpfs", [("mode", "1777"), ("size", "65536k")],
      attributes: CLINUX_MOUNT_NOSUID | CLINUX_MOUNT_NODEV | CLINUX_MOUNT_NOEXEC)
    for name in ["pts", "shm", "mqueue"] {
      guard mkdirat(mount.raw, name, 0o755) == 0, fchmodat(mount.raw, name, 0o755, 0) == 0 else {
        throw SystemError("mkdir", path: Array("/dev/\(name)".utf8))
      }
    }
    guard !OverlayMark.isInUserNamespace else {
      var found: [(name: String, mount: SharedDescriptor)] = []
      for device in Self.devices {
        found.append((device.name, try Self.borrow(device, in: mount)))
      }
      borrowed = found
      try Self.makeLinks(in: mount)
      return
    }
    borrowed = []
    for device in Self.devices {
      guard
        mknodat(mount.raw, device.name, S_IFCHR | 0o666, dev_t(device.major << 8 | device.minor))
          == 0,
        fchmodat(mount.raw, device.name, 0o666, 0) == 0
      else { throw SystemError("mknod", path: Array("/dev/\(device.name)".utf8)) }
    }
    try Self.makeLinks(in: mount)
  }

  /// A device of the machine, which has to be the one that it is taken for (threat 14), and a file
  /// to mount it at.
  private static func borrow(
    _ device: (name: String, major: UInt32, minor: UInt32), in mount: SharedDescriptor
  ) throws(SystemError) -> SharedDescriptor {
    let path = "/dev/\(device.name)"
    let raw = open(path, TreeAccess.pathOnly | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { throw SystemError("open", path: Array(path.utf8)) }
    let found = OwnedDescriptor(owning: raw)
    let status = try TreeAccess.status(of: found.raw)
    guard status.st_mode & S_IFMT == S_IFCHR,
      status.st_rdev == dev_t(device.major << 8 | device.minor)
    else { throw SystemError("open", path: Array(path.utf8), code: ENODEV) }
    let file = openat(
      mount.raw, device.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw SystemError("open", path: Array(path.utf8)) }
    close(file)
    return try DetachedMount.clone(found.raw)
  }

  private static func makeLinks(in mount: SharedDescriptor) throws(SystemError) {
    for (name, target) in links {
      guard symlinkat(target, mount.raw, name) == 0 else {
        throw SystemError("symlink", path: Array("/dev/\(name)".utf8))
      }
    }
  }
}
