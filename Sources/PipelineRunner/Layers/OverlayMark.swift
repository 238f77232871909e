import CLinux
import Glibc
import SystemPackage

/// How overlayfs writes down that something of the layers below is hidden.
///
/// In a user namespace the attributes are `user.overlay.*`, as nobody there may set `trusted.*`
/// (overlayfs option `userxattr`).
enum OverlayMark {
  /// The attribute of a directory that hides the directory below it.
  static let opaque = isInUserNamespace ? "user.overlay.opaque" : "trusted.overlay.opaque"

  /// Whether root of this process is somebody else on the machine.
  static let isInUserNamespace = IdentityMap.current != .machine

  /// Whether a directory hides what the layers below have in it.
  static func isOpaque(_ directory: CInt) -> Bool {
    var value: UInt8 = 0
    return clinux_get_attribute(directory, opaque, &value, 1) == 1 && value == UInt8(ascii: "y")
  }

  static func setOpaque(_ directory: CInt) throws(SystemError) {
    guard clinux_set_attribute(directory, opaque, "y", 1) == 0 else {
      throw SystemError("fsetxattr", path: Array(opaque.utf8))
    }
  }
}

/// How a layer's tar writes the same down (OCI image specification, layer.md).
enum TarMark {
  /// Before the name of what is deleted.
  static let whiteout = ".wh."
  /// The name of the entry that makes its directory opaque.
  static let opaque = ".wh..wh..opq"
}
