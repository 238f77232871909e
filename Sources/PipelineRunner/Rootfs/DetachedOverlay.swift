import CLinux
import Glibc
import SystemPackage

/// A root tree made visible as one file system that is attached to no directory.
///
/// It is reached only through its descriptor and goes away with it, so nothing appears in the
/// machine's mount table and nothing is left behind when the process is killed.
enum DetachedOverlay {
  /// How many layers the kernel stacks (OVL_MAX_STACK), the upper directory not counted.
  static let mostLayers = 500

  /// Opens the merged view of a tree for reading.
  ///
  /// `empty` is a directory with nothing in it: overlayfs wants two layers or more.
  static func readOnly(
    _ tree: RootTree, empty: FilePath
  ) throws(SystemError) -> OwnedDescriptor {
    let lowers = tree.lowers
    guard !lowers.isEmpty else {
      let directory = try TreeAccess.openDirectory(empty)
      let mount = clinux_clone_mount(directory.raw, 0, readOnlyAttribute)
      guard mount >= 0 else { throw SystemError("open_tree", path: empty.bytes) }
      return OwnedDescriptor(owning: mount)
    }
    let padding = Array(repeating: empty, count: max(0, 2 - lowers.count))
    return try mount(
      lowers: lowers + padding, upper: nil, work: nil, attributes: readOnlyAttribute)
  }

  /// Opens the merged view of a tree with a workspace's upper directory above it.
  static func writable(
    _ tree: RootTree, in workspace: Workspace, empty: FilePath
  ) throws(SystemError) -> OwnedDescriptor {
    let padding = tree.layers.isEmpty ? [empty] : []
    return try mount(
      lowers: tree.lowers + padding, upper: workspace.upper, work: workspace.work,
      attributes: 0)
  }

  /// MOUNT_ATTR_RDONLY of mount_setattr(2).
  private static let readOnlyAttribute: UInt64 = 1

  private static func mount(
    lowers: [FilePath], upper: FilePath?, work: FilePath?, attributes: UInt64
  ) throws(SystemError) -> OwnedDescriptor {
    let strings = lowers.map { $0.withPlatformString { strdup($0) } }
    defer { for string in strings { free(string) } }
    let pointers = strings.map { UnsafePointer($0) }
    let upperString = upper.map { $0.withPlatformString { strdup($0) } } ?? nil
    let workString = work.map { $0.withPlatformString { strdup($0) } } ?? nil
    defer {
      free(upperString)
      free(workString)
    }
    var message = [CChar](repeating: 0, count: 256)
    let descriptor = clinux_overlay(
      pointers, pointers.count, upperString, workString, attributes,
      OverlayMark.isInUserNamespace ? 1 : 0, &message, message.count)
    guard descriptor >= 0 else {
      let code = errno
      if code == E2BIG {
        throw SystemError(
          "mount overlay",
          path: Array("\(lowers.count) layers, more than a kernel before Linux 6.7 takes".utf8),
          code: code)
      }
      // The kernel's own words, behind a letter for their severity.
      let words = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.drop { $0 != 0x20 }
      throw SystemError(
        "mount overlay", path: words.filter { $0 != UInt8(ascii: "\n") }, code: code)
    }
    return OwnedDescriptor(owning: descriptor)
  }
}
