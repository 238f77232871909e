import Glibc
import PipelineDSL
import SystemPackage

/// Finds what package managers say is installed in a root file system.
///
/// The root may be hostile: names are resolved inside it, only regular files of a reasonable size
/// are read, and nothing in it is run (threats 21, 23).
struct PackageScanner {
  struct Result: Sendable {
    var distribution = InstalledPackage.Distribution()
    /// Sorted, each once.
    var packages: [InstalledPackage] = []
  }

  private static let largest = 64 << 20
  private static let deepest = 32

  /// An open directory of the root.
  let root: CInt

  static func scan(_ tree: RootTree, empty: FilePath) throws -> Result {
    guard !tree.layers.isEmpty else { return Result() }
    let view = try DetachedOverlay.readOnly(tree, empty: empty)
    let top = try TreeAccess.open(
      Array(".".utf8), in: view.raw, flags: O_RDONLY | O_DIRECTORY)
    return try PackageScanner(root: top.raw).scan()
  }

  func scan() throws -> Result {
    var result = Result()
    for path in ["etc/os-release", "usr/lib/os-release"] {
      guard let text = try read(path) else { continue }
      result.distribution = InstalledPackage.Distribution(osRelease: text)
      break
    }
    var found = Set<InstalledPackage>()
    if let text = try read("var/lib/dpkg/status") { found.formUnion(InstalledPackage.dpkg(text)) }
    for name in try names("var/lib/dpkg/status.d") where !name.hasSuffix(".md5sums") {
      if let text = try read("var/lib/dpkg/status.d/\(name)") {
        found.formUnion(InstalledPackage.dpkg(text))
      }
    }
    for path in ["lib/apk/db/installed", "usr/lib/apk/db/installed"] {
      if let text = try read(path) { found.formUnion(InstalledPackage.apk(text)) }
    }
    try findPython(root, depth: 0, &found)
    result.packages = found.sorted {
      ($0.manager.rawValue, $0.name, $0.version, $0.architecture ?? "")
        < ($1.manager.rawValue, $1.name, $1.version, $1.architecture ?? "")
    }
    return result
  }

  private func read(_ path: String, in folder: CInt? = nil) throws -> String? {
    guard
      let file = try? TreeAccess.openIfPresent(
        Array(path.utf8), in: folder ?? root, flags: O_RDONLY | O_NONBLOCK)
    else { return nil }
    let status = try TreeAccess.status(of: file.raw)
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largest else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        pread(
          file.raw, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(filled))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      filled += count
    }
    return String(decoding: bytes[..<filled], as: UTF8.self)
  }

  private func names(_ path: String) throws -> [String] {
    guard
      let folder = try? TreeAccess.openIfPresent(
        Array(path.utf8), in: root, flags: O_RDONLY | O_DIRECTORY)
    else { return [] }
    return try Self.entries(folder.raw).map(\.name).sorted()
  }

  /// Looks in every directory for installed Python packages: virtual environments stand anywhere.
  private func findPython(
    _ folder: CInt, depth: Int, _ found: inout Set<InstalledPackage>
  ) throws {
    guard depth < Self.deepest else { return }
    for (name, isDirectory) in try Self.entries(folder) where isDirectory {
      if depth == 0, ["proc", "sys", "dev"].contains(name) { continue }
      if name.hasSuffix(".dist-info") {
        let text = try read("\(name)/METADATA", in: folder)
        if let package = text.flatMap(InstalledPackage.python) { found.insert(package) }
        continue
      }
      let raw = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard raw >= 0 else { continue }
      let child = OwnedDescriptor(owning: raw)
      try findPython(child.raw, depth: depth + 1, &found)
    }
  }

  /// The names in a directory, and which are directories themselves.
  private static func entries(_ folder: CInt) throws -> [(name: String, isDirectory: Bool)] {
    let raw = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard raw >= 0, let stream = fdopendir(raw) else { throw SystemError("open") }
    defer { closedir(stream) }
    var entries: [(String, Bool)] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      entries.append((name, Int(entry.pointee.d_type) == Int(DT_DIR)))
    }
    return entries
  }
}
