import Glibc
import PipelineDSL
import SystemPackage

/// Puts right in a Dockerfile what rules can put right.
enum DockerfileFix {
  /// Changes the file until nothing more can be put right, and returns how many findings went.
  ///
  /// The file is replaced whole; where the path is a link, what it leads to. The mode is kept.
  static func apply(
    to checked: inout CheckedGraph, _ bytes: [UInt8], _ path: FilePath, ignore: IgnorePatterns?
  ) throws(Diagnostic) -> Int {
    let before = checked.report.diagnostics.count
    var current = bytes
    // A fix may uncover another: an empty line behind an empty line. Each makes the file simpler.
    for _ in 0..<100 {
      guard let input = checked.input, let source = input.source else { break }
      let next = source.applying(checked.report.edits(input))
      guard next != current else { break }
      current = next
      checked = CheckedGraph(current, path, ignore: ignore)
    }
    guard current != bytes else { return 0 }
    do {
      try replace(path, with: current)
    } catch {
      throw error.diagnostic("the Dockerfile cannot be changed")
    }
    return before - checked.report.diagnostics.count
  }

  private static func replace(_ path: FilePath, with content: [UInt8]) throws(SystemError) {
    guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
      throw SystemError("realpath", path: path.bytes)
    }
    defer { free(resolved) }
    var status = stat()
    guard stat(resolved, &status) == 0 else { throw SystemError("stat", path: path.bytes) }
    try FileContent.replace(FilePath(platformString: resolved), with: content)
    guard chmod(resolved, status.st_mode & 0o7777) == 0 else {
      throw SystemError("chmod", path: path.bytes)
    }
  }
}
