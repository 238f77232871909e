import CLinux
import Glibc
import PipelineDSL
import SystemPackage

/// Fetches a commit with the machine's git.
///
/// The repository is not trusted: no hook runs, no configuration of the machine or the repository
/// takes part, and only the transports that `ADD` names are allowed (threat 36).
struct GitCheckout {
  let source: GitSource

  /// The repository as messages name it.
  private var name: String { RemoteSource.withoutPassword(source.remote) }

  /// The commit that the reference stands for now.
  ///
  /// - Throws: a diagnostic with what git said.
  func commit() throws -> String {
    // A whole commit pins the source: the reference may have moved on, and is only a hint.
    if let checksum = source.checksum, Self.isCommit(checksum) { return checksum }
    if let reference = source.reference, Self.isCommit(reference) {
      try check(reference)
      return reference
    }
    let reference = source.reference ?? "HEAD"
    let listing = try git(["ls-remote", "--", source.remote])
    let names =
      ["refs/heads/\(reference)", "refs/tags/\(reference)^{}", "refs/tags/\(reference)"]
      + ["refs/\(reference)", reference + "^{}", reference]
    let commits = Dictionary(
      listing.split(separator: "\n").compactMap { line -> (String, String)? in
        let parts = line.split(separator: "\t")
        return parts.count == 2 ? (String(parts[1]), String(parts[0])) : nil
      }, uniquingKeysWith: { first, _ in first })
    guard let commit = names.lazy.compactMap({ commits[$0] }).first else {
      throw Diagnostic(
        "'\(name)' has no branch or tag '\(reference)'",
        help: EditDistance.nearest(
          to: reference,
          among: commits.keys.compactMap { $0.split(separator: "/").last.map(String.init) }.sorted()
        ).map { "did you mean '\($0)'?" })
    }
    try check(commit)
    return commit
  }

  private func check(_ commit: String) throws(Diagnostic) {
    guard let checksum = source.checksum, !commit.hasPrefix(checksum) else { return }
    throw Diagnostic(
      "the commit of '\(name)' is \(commit), not \(checksum)",
      help: "correct --checksum, or name the commit you mean after '#'")
  }

  private static func isCommit(_ text: String) -> Bool {
    (text.utf8.count == 40 || text.utf8.count == 64)
      && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
  }

  /// Puts a commit's files into a directory.
  ///
  /// `scratch` is free for the repository itself. Files are 0644 or 0755 and belong to root.
  func checkOut(_ commit: String, into directory: FilePath, scratch: FilePath) throws {
    let tree = scratch.appending("tree")
    _ = try git(["init", "--quiet", "--initial-branch=main", "--", tree.string])
    let inTree = ["-C", tree.string]
    _ = try git(inTree + ["remote", "add", "origin", source.remote])
    do {
      _ = try git(inTree + ["fetch", "--quiet", "--depth=1", "--no-tags", "origin", commit])
    } catch {
      // Many servers give single commits only where a name points at them.
      _ = try git(
        inTree + ["fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"])
    }
    _ = try git(inTree + ["checkout", "--quiet", "--detach", commit])
    if source.hasSubmodules {
      _ = try git(
        inTree + ["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])
    }
    if !source.keepsGitDirectory {
      try DirectoryTree.remove(tree.appending(".git"))
    } else {
      // It holds the address that was fetched from, with what may be in it.
      _ = tree.appending(".git/FETCH_HEAD").withPlatformString { unlink($0) }
    }
    if source.keepsGitDirectory, let reference = source.reference, !Self.isCommit(reference) {
      _ = try? git(inTree + ["update-ref", "refs/heads/\(reference)", commit])
    }
    try move(tree, to: directory)
  }

  /// Moves what is wanted of the checkout; a subdirectory is looked up inside it, and no link is
  /// followed.
  private func move(_ tree: FilePath, to directory: FilePath) throws {
    let root = try TreeAccess.openDirectory(tree)
    let wanted = try find(source.subdirectory, in: root.raw)
    guard let wanted else {
      throw Diagnostic("'\(name)' has no directory '\(source.subdirectory)'")
    }
    for name in try DirectoryTree.names(in: FilePath("/proc/self/fd/\(wanted.raw)")) {
      let target = directory.appending(name)
      let status = name.withCString { from in
        target.withPlatformString { renameat(wanted.raw, from, AT_FDCWD, $0) }
      }
      guard status == 0 else { throw SystemError("rename", path: target.bytes) }
    }
  }

  private func find(_ directory: String, in root: CInt) throws -> OwnedDescriptor? {
    let path = Array((directory.isEmpty ? "." : directory).utf8)
    do {
      return try TreeAccess.openIfPresent(
        path, in: root, flags: O_RDONLY | O_DIRECTORY,
        resolve: TreeAccess.inRoot | CLINUX_RESOLVE_NO_SYMLINKS)
    } catch {
      guard error.code == ELOOP else { throw error }
      throw Diagnostic(
        "the directory '\(directory)' of '\(source.remote)' lies behind a symbolic link",
        help: "name the directory that the link leads to")
    }
  }

  // MARK: - Running git

  /// What git is told, whatever the machine's configuration says.
  private static let settings = [
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "protocol.ext.allow=never",
    "protocol.file.allow=user", "advice.detachedHead=false", "core.autocrlf=false",
    "credential.interactive=false",
  ]

  private func git(_ arguments: [String]) throws -> String {
    var command = ["git"]
    for setting in Self.settings { command += ["-c", setting] }
    let output: ChildProcess.Output
    do {
      output = try ChildProcess.run(
        command + arguments,
        environment: [
          "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1",
          "LC_ALL": "C", "GIT_PROTOCOL_FROM_USER": "0",
        ], umask: 0o022, isCancelled: { Cancellation.isCancelled })
    } catch {
      throw error.code == ENOENT
        ? Diagnostic(
          "a git source needs the program git, which is not here",
          help: "install it: apt-get install git")
        : error.diagnostic("git cannot be run")
    }
    guard output.status == 0 else {
      throw Diagnostic(
        "git could not fetch '\(name)'",
        notes: [Diagnostic.Note(RemoteSource.withoutPassword(output.errors.trimmedLine))])
    }
    return output.text
  }
}
