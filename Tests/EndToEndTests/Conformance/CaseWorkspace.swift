import Foundation
import Glibc

/// A case laid out on disk: its context and what lies beside it.
struct CaseWorkspace {
  let conformanceCase: ConformanceCase
  let directory: ScratchDirectory
  /// Makes names unique that outlive a build, such as those of caches.
  let mark = String(UInt32.random(in: .min ... .max), radix: 36)
  /// Runs where the case speaks of it.
  let server: CaseServer?

  var root: String { directory.appending("context") }
  var contextPath: String {
    conformanceCase.context == "." ? root : root + "/" + conformanceCase.context
  }
  var output: String { directory.appending("image.tar") }
  /// What the server gives out.
  private var served: String { directory.appending("served") }

  init(_ conformanceCase: ConformanceCase) throws {
    self.conformanceCase = conformanceCase
    let directory = try ScratchDirectory()
    self.directory = directory
    server =
      conformanceCase.needsServer
      ? try CaseServer(directory.appending("served"), scratch: directory.path) : nil
    try makeDirectory(root)
    try makeDirectory(served)
    // Times and modes of directories last: what is made inside changes them.
    var late: [(path: String, options: [String: String])] = []
    for section in conformanceCase.sections {
      guard section.words.first != "then" else { continue }
      try lay(section, &late)
    }
    for (path, options) in late { try apply(options, to: path, mode: 0o755) }
  }

  /// The scripts that change the context before another build.
  var edits: [ConformanceCase.Section] {
    conformanceCase.sections.filter { $0.words.first == "then" }
  }

  /// A text of the case with what its marks stand for in this run.
  func resolve(_ text: String) -> String {
    let text = text.replacingOccurrences(of: "@MARK@", with: mark)
    return server?.resolve(text) ?? text
  }

  /// The same the other way round, for texts that are kept.
  func unresolve(_ text: String) -> String {
    let text = text.replacingOccurrences(of: mark, with: "@MARK@")
    guard let server else { return text }
    return text.replacingOccurrences(of: server.address, with: CaseServer.mark)
  }

  private func lay(
    _ section: ConformanceCase.Section, _ late: inout [(path: String, options: [String: String])]
  ) throws {
    var words = section.words
    let kind = words.removeFirst()
    if kind == "sh" || kind == "py" { return try run(kind, section.text) }
    if kind == "Dockerfile" { words.insert(conformanceCase.dockerfile, at: 0) }
    guard !words.isEmpty else { throw malformed("a section '\(kind)' without a path") }
    let path = (kind == "served" ? served : root) + "/" + words.removeFirst()
    var options: [String: String] = [:]
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      options[parts[0]] = parts.count > 1 ? parts[1] : ""
    }
    try makeDirectory((path as NSString).deletingLastPathComponent)
    switch kind {
    case "Dockerfile", "file", "served":
      var bytes = Array(resolve(section.text).utf8)
      if options["nonl"] != nil { bytes = bytes.dropLast() }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      try apply(options, to: path, mode: 0o644)
    case "dir":
      try makeDirectory(path)
      late.append((path: path, options: options))
    case "symlink":
      guard symlink(options["to"] ?? "", path) == 0 else { throw SystemFailure("symlink", path) }
      try apply(options, to: path, mode: nil)
    case "hardlink":
      guard link(root + "/" + (options["to"] ?? ""), path) == 0 else {
        throw SystemFailure("link", path)
      }
    case "fifo":
      guard mkfifo(path, 0o644) == 0 else { throw SystemFailure("mkfifo", path) }
      try apply(options, to: path, mode: 0o644)
    default: throw malformed("a section '\(kind)'")
    }
  }

  /// Runs a script in the context.
  func run(_ language: String, _ script: String) throws {
    let program = language == "py" ? ["python3", "-"] : ["sh", "-eu"]
    let run = try ProgramRun.wait(
      for: program[0], Array(program.dropFirst()), in: root,
      environment: [
        "PYTHONDONTWRITEBYTECODE": "1", "SERVED": served, "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b", "GIT_AUTHOR_DATE": "1500000000 +0000",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
        "GIT_COMMITTER_DATE": "1500000000 +0000",
      ], input: Array(resolve(script).utf8))
    guard run.status == 0 else { throw malformed("a script failed: \(run.errors)\(run.text)") }
  }

  private func apply(_ options: [String: String], to path: String, mode: mode_t?) throws {
    if let owner = options["owner"]?.split(separator: ":").compactMap({ uid_t($0) }),
      owner.count == 2
    {
      guard lchown(path, owner[0], owner[1]) == 0 else { throw SystemFailure("lchown", path) }
    }
    if let mode = options["mode"].flatMap({ mode_t($0, radix: 8) }) ?? mode {
      guard chmod(path, mode) == 0 else { throw SystemFailure("chmod", path) }
    }
    if let time = options["mtime"].flatMap({ Int($0) }) {
      let times = Array(repeating: timespec(tv_sec: time, tv_nsec: 0), count: 2)
      guard utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw SystemFailure("utimensat", path)
      }
    }
  }

  /// With missing parents, all of mode 0755 whatever the umask.
  private func makeDirectory(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) { return }
    try makeDirectory((path as NSString).deletingLastPathComponent)
    guard mkdir(path, 0o755) == 0, chmod(path, 0o755) == 0 else {
      throw SystemFailure("mkdir", path)
    }
  }

  private func malformed(_ text: String) -> ConformanceCase.Malformed {
    ConformanceCase.Malformed(description: "\(conformanceCase.name): \(text)")
  }
}
