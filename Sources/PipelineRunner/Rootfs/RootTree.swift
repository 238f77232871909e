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

  /// The directories for overlayfs, top first and each of them once.
  ///
  /// Steps with equal results share a layer, so that one may be in a stack twice; overlayfs refuses
  /// that. Every name and deletion in the lower of two equal layers is in the upper one as well, so
  /// the lower one shows nowhere.
  var lowers: [FilePath] {
    var seen: Set<FilePath> = []
    return layers.reversed().filter { seen.insert($0).inserted }
  }

  /// The root of `FROM scratch`.
  static let empty = RootTree([])
}
