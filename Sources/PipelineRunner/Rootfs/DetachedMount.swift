import CLinux
import Glibc

/// A mount that is attached to no directory yet; it goes away with its descriptor unless a command
/// took it.
enum DetachedMount {
  /// Makes a file system that lives in memory, or another of the kernel's own.
  ///
  /// An option without a value is a flag.
  static func make(
    _ type: String, _ options: [(name: String, value: String?)] = [], attributes: UInt64 = 0
  ) throws(SystemError) -> SharedDescriptor {
    let names = options.map { strdup($0.name) }
    let values = options.map { $0.value.map { strdup($0) } ?? nil }
    defer { for text in names + values { free(text) } }
    let descriptor = clinux_file_system(
      type, names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, options.count,
      attributes)
    guard descriptor >= 0 else { throw SystemError("fsmount \(type)") }
    return SharedDescriptor(OwnedDescriptor(owning: descriptor))
  }

  /// Makes a mount of what a descriptor names; nothing mounted below it reaches the machine.
  static func clone(
    _ descriptor: CInt, isRecursive: Bool = false, attributes: UInt64 = 0
  ) throws(SystemError) -> SharedDescriptor {
    let mount = clinux_clone_mount(descriptor, isRecursive ? 1 : 0, attributes)
    guard mount >= 0 else { throw SystemError("open_tree") }
    return SharedDescriptor(OwnedDescriptor(owning: mount))
  }
}
