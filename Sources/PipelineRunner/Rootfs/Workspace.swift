import SystemPackage

/// A private directory of one step on the store's own file system: what the step made can
/// become a layer by rename.
///
/// The store makes it, and removes it if the step or the process ends.
struct Workspace: Sendable {
  let path: FilePath

  /// Where the step's changes appear, in overlayfs-native form.
  ///
  /// Made by the store, empty.
  var upper: FilePath { path.appending("upper") }
  /// The work directory that overlayfs asks for.
  ///
  /// Made by the store, empty.
  var work: FilePath { path.appending("work") }
  /// Free for anything else a step prepares: mount points, secrets, here-document files.
  var scratch: FilePath { path.appending("scratch") }
}
