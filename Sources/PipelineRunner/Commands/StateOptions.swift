import ArgumentParser
import Glibc
import SystemPackage

/// Where the store is.
struct StateOptions: ParsableArguments {
  @Option(help: "Keep layers, cache and images in this directory.")
  var stateDir: String?

  /// `--state-dir`, else `$PIPELINE_STATE_DIR`, else the user's data directory.
  var directory: FilePath {
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
