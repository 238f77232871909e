import ArgumentParser
import Glibc
import SystemPackage

/// Where the store is.
struct StateOptions: ParsableArguments {
  @Option(help: "Keep layers, cache and images in this directory.")
  var stateDir: String?

  /// Where the store is.
  ///
  /// Builds with one id have a place of their own in the directory: what their files say of owners,
  /// others do not read, and they could not remove what belongs to subordinate ids.
  var directory: FilePath {
    IdentityMap.ofBuilds == .one ? given.appending("one-id") : given
  }

  /// `--state-dir`, else `$PIPELINE_STATE_DIR`, else the user's data directory.
  private var given: FilePath {
    if let stateDir { return FilePath(stateDir) }
    if let path = ProcessVariables.nonEmpty("PIPELINE_STATE_DIR") { return FilePath(path) }
    if let data = ProcessVariables.nonEmpty("XDG_DATA_HOME") {
      return FilePath(data).appending("pipeline")
    }
    // In a user namespace root is the user who built.
    if geteuid() == 0 && !OverlayMark.isInUserNamespace { return "/var/lib/pipeline" }
    let home = ProcessVariables.nonEmpty("HOME") ?? "/"
    return FilePath(home).appending(".local/share/pipeline")
  }
}
