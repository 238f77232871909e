import Glibc
import PipelineDSL
import SystemPackage

/// The time of a directory's last commit.
enum GitTime {
  /// Seconds since 1970, as `git log` has it for the commit that is checked out.
  static func lastCommit(in directory: FilePath) throws(Diagnostic) -> Int {
    let output: ChildProcess.Output
    do {
      output = try ChildProcess.run(
        ["git", "-C", directory.string, "log", "-1", "--format=%ct"])
    } catch {
      throw error.diagnostic("git cannot be run")
    }
    guard output.status == 0, let seconds = Int(output.text.trimmedLine) else {
      throw Diagnostic(
        "'\(directory)' has no git commit to take the time from",
        help: "commit first, or give the epoch as a number")
    }
    return seconds
  }
}
