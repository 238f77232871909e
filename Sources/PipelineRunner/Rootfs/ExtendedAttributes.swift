import CLinux
import Glibc

/// Reading and copying extended attributes of open files.
enum ExtendedAttributes {
  /// Which attributes travel.
  enum Selection {
    /// From a stage or image: users' own and file capabilities.
    case all
    /// From the build context: users' own; BuildKit loses capabilities there, and a container
    /// must not get a capability because of the machine it was built on.
    case context
  }

  /// Whether an attribute may stand in a layer.
  ///
  /// `trusted.*` and `user.overlay.*` would steer overlayfs itself (threat 7), ``FileRecord``'s
  /// would make other owners, `security.selinux` and `system.*` belong to the machine.
  static func travels(_ name: UnsafePointer<CChar>, _ selection: Selection) -> Bool {
    if strncmp(name, "user.", 5) == 0 {
      return strncmp(name, "user.overlay.", 13) != 0 && strcmp(name, FileRecord.attribute) != 0
    }
    return selection == .all && strcmp(name, "security.capability") == 0
  }

  /// Calls the body with each attribute that travels, sorted by name.
  static func forEach(
    of descriptor: CInt, _ selection: Selection,
    _ body: (UnsafePointer<CChar>, UnsafeRawBufferPointer) throws(SystemError) -> Void
  ) throws(SystemError) {
    let size = clinux_list_attributes(descriptor, nil, 0)
    if size == 0 || (size < 0 && errno == ENOTSUP) { return }
    guard size > 0 else { throw SystemError("flistxattr") }
    var names = [CChar](repeating: 0, count: size + 1)
    let length = clinux_list_attributes(descriptor, &names, size)
    guard length >= 0 else { throw SystemError("flistxattr") }
    var starts: [Int] = []
    var start = 0
    while start < length {
      starts.append(start)
      start += names[start...].prefix { $0 != 0 }.count + 1
    }
    starts.sort { left, right in
      names[left...].prefix { $0 != 0 }.lexicographicallyPrecedes(
        names[right...].prefix { $0 != 0 })
    }
    for start in starts {
      let name = Array(names[start...].prefix { $0 != 0 }) + [0]
      guard travels(name, selection) else { continue }
      var value = [UInt8](repeating: 0, count: 65536)
      let count = clinux_get_attribute(descriptor, name, &value, value.count)
      guard count >= 0 else { throw SystemError("fgetxattr") }
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
      defer { bytes.deallocate() }
      bytes.copyBytes(from: value[..<count])
      try TreeAccess.withTerminated(name.dropLast().map { UInt8(bitPattern: $0) }) {
        text throws(SystemError) in
        try body(text, UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
    }
  }

  /// Whether a file has any attribute at all.
  static func hasAny(_ descriptor: CInt) -> Bool {
    clinux_list_attributes(descriptor, nil, 0) > 0
  }

  /// Copies what travels; a file system that takes none is no failure, as with BuildKit (C7).
  static func copy(
    from source: CInt, to target: CInt, keeping selection: Selection
  ) throws(SystemError) {
    try forEach(of: source, selection) { name, value throws(SystemError) in
      if clinux_set_attribute(target, name, value.baseAddress, value.count) != 0
        && errno != ENOTSUP && errno != EPERM
      {
        throw SystemError("fsetxattr")
      }
    }
  }
}
