import Glibc
import PipelineDSL

/// What the local engine needs from the kernel.
enum Privilege {
  /// - Throws: a diagnostic that says what to do where this process may not mount.
  static func require() throws(Diagnostic) {
    guard geteuid() == 0 else {
      throw Diagnostic(
        "building needs root: layers are mounted with overlayfs and steps run in namespaces",
        help: "run it with sudo; 'dockerfile' and 'plan' work without")
    }
  }
}
