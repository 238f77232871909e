import CLinux
import Glibc

/// Files that a command sees and no layer does: secrets, scripts, `/etc/hosts`, agent sockets.
///
/// They live in memory, in a mount of which each one is then mounted by itself.
final class PrivateFiles {
  let mount: SharedDescriptor
  private var count = 0

  init() throws(SystemError) {
    let options = [("mode", "700"), ("noswap", nil), ("size", "64m")] as [(String, String?)]
    do {
      mount = try DetachedMount.make("tmpfs", options)
    } catch {
      // Kernels before 6.4, and user namespaces, cannot keep a tmpfs out of the swap.
      guard error.code == EINVAL || error.code == EPERM else { throw error }
      mount = try DetachedMount.make("tmpfs", options.filter { $0.1 != nil })
    }
  }

  /// Adds a file and returns its name in the mount.
  func add(
    _ content: [UInt8], mode: UInt16, uid: UInt32, gid: UInt32
  ) throws(SystemError) -> String {
    let name = nextName()
    let raw = openat(mount.raw, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard raw >= 0 else { throw SystemError("open") }
    let file = OwnedDescriptor(owning: raw)
    var written = 0
    while written < content.count {
      let length = content.withUnsafeBytes {
        write(file.raw, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      guard length > 0 else { throw SystemError("write") }
      written += length
    }
    // Where ids are recorded the command's user owns every file that is root's.
    guard FileRecord.keepsOwners || fchown(file.raw, uid, gid) == 0,
      fchmod(file.raw, mode_t(mode)) == 0
    else {
      throw SystemError("fchmod")
    }
    return name
  }

  /// Adds a socket that listens, and returns its name in the mount.
  func listen(
    mode: UInt16, uid: UInt32, gid: UInt32
  ) throws(SystemError) -> (name: String, socket: SharedDescriptor) {
    let name = nextName()
    let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw SystemError("socket") }
    let listener = SharedDescriptor(OwnedDescriptor(owning: raw))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array("/proc/self/fd/\(mount.raw)/\(name)".utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener.raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0, Glibc.listen(listener.raw, 16) == 0 else { throw SystemError("bind") }
    guard FileRecord.keepsOwners || fchownat(mount.raw, name, uid, gid, 0) == 0,
      fchmodat(mount.raw, name, mode_t(mode), 0) == 0
    else { throw SystemError("fchmod") }
    return (name, listener)
  }

  private func nextName() -> String {
    defer { count += 1 }
    return "\(count)"
  }
}
