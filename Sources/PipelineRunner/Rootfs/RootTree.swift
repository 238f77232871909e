import SystemPackage

/// A root file system as a stack of immutable layer directories, bottom first.
///
/// Each directory is in overlayfs-native form: deletions are character devices 0/0, replaced
/// directories carry `trusted.overlay.opaque` (executor.md, recommendation 8).
struct RootTree: Hashable, Sendable {
  var layers: [FilePath]

  init(_ layers: [FilePath]) {
    self.layers = layers
  }

  /// The root of `FROM scratch`.
  static let empty = RootTree([])
}
