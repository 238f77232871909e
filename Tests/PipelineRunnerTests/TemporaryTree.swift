import Glibc
import SystemPackage

@testable import PipelineRunner

/// A directory under /tmp for one test, removed when the test lets go of it.
final class TemporaryTree: Sendable {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/pipeline-copy-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    path = template.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
    }
    // Results must not depend on the umask of whoever runs the tests.
    chmod(path.string, 0o755)
  }

  deinit {
    Self.remove(path)
  }

  /// Removes a tree, links not followed.
  static func remove(_ path: FilePath) {
    if unlink(path) == 0 { return }
    for name in (try? children(path)) ?? [] { remove(path.appendingBytes(name)) }
    _ = path.withPlatformString { rmdir($0) }
  }

  private static func unlink(_ path: FilePath) -> CInt {
    path.withPlatformString { Glibc.unlink($0) }
  }

  /// The names in a directory, sorted by bytes.
  static func children(_ path: FilePath) throws -> [[UInt8]] {
    guard let directory = path.withPlatformString({ opendir($0) }) else {
      throw SystemError("opendir", path: path.bytes)
    }
    defer { closedir(directory) }
    var names: [[UInt8]] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        UnsafeRawPointer(pointer).withMemoryRebound(to: CChar.self, capacity: 256) {
          Array(UnsafeRawBufferPointer(start: $0, count: strlen($0)))
        }
      }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  subscript(_ relative: String) -> FilePath { path.appendingBytes(Array(relative.utf8)) }

  /// Makes a directory and its parents, each with mode 0755; the last one with the mode given.
  @discardableResult
  func directory(_ relative: String, mode: mode_t = 0o755) throws -> FilePath {
    var current = path
    for part in relative.utf8.split(separator: UInt8(ascii: "/")) {
      current = current.appendingBytes(Array(part))
      if current.withPlatformString({ mkdir($0, 0o755) }) == 0 {
        current.withPlatformString { _ = chmod($0, 0o755) }
      } else if errno != EEXIST {
        throw SystemError("mkdir", path: current.bytes)
      }
    }
    guard current.withPlatformString({ chmod($0, mode) }) == 0 else { throw SystemError("chmod") }
    return current
  }

  /// Writes a file, making its parents.
  @discardableResult
  func file(_ relative: String, _ content: String = "", mode: mode_t = 0o644) throws -> FilePath {
    try file(bytes: Array(relative.utf8), Array(content.utf8), mode: mode)
  }

  @discardableResult
  func file(bytes relative: [UInt8], _ content: [UInt8], mode: mode_t = 0o644) throws -> FilePath {
    if let slash = relative.lastIndex(of: UInt8(ascii: "/")) {
      let parent = String(decoding: relative[..<slash], as: UTF8.self)
      if self[parent].withPlatformString({ access($0, F_OK) }) != 0 { try directory(parent) }
    }
    let target = path.appendingBytes(relative)
    let descriptor = target.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    }
    guard descriptor >= 0 else { throw SystemError("open", path: target.bytes) }
    defer { close(descriptor) }
    guard write(descriptor, content, content.count) == content.count,
      fchmod(descriptor, mode) == 0
    else { throw SystemError("write", path: target.bytes) }
    return target
  }

  func symlink(_ relative: String, to target: String) throws {
    guard self[relative].withPlatformString({ Glibc.symlink(target, $0) }) == 0 else {
      throw SystemError("symlink", path: Array(relative.utf8))
    }
  }

  func hardlink(_ relative: String, to existing: String) throws {
    let code = self[existing].withPlatformString { old in
      self[relative].withPlatformString { link(old, $0) }
    }
    guard code == 0 else { throw SystemError("link", path: Array(relative.utf8)) }
  }

  func chown(_ relative: String, _ uid: uid_t, _ gid: gid_t) throws {
    guard self[relative].withPlatformString({ lchown($0, uid, gid) }) == 0 else {
      throw SystemError("lchown", path: Array(relative.utf8))
    }
  }

  func setTimes(_ relative: String, _ seconds: Int, _ nanoseconds: Int = 0) throws {
    let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
    let code = self[relative].withPlatformString {
      utimensat(AT_FDCWD, $0, [time, time], AT_SYMLINK_NOFOLLOW)
    }
    guard code == 0 else { throw SystemError("utimensat", path: Array(relative.utf8)) }
  }
}

extension FilePath {
  /// Adds components that need not be UTF-8.
  func appendingBytes(_ relative: [UInt8]) -> FilePath {
    var text = (bytes + [UInt8(ascii: "/")] + relative).map { CChar(bitPattern: $0) }
    text.append(0)
    return text.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
    }
  }

  /// What `lstat` says; nil where nothing is.
  var status: stat? {
    var status = Glibc.stat()
    return withPlatformString { lstat($0, &status) } == 0 ? status : nil
  }

  /// Permission bits, setuid and its like included.
  var mode: mode_t? { status.map { $0.st_mode & 0o7777 } }

  var isDirectory: Bool { status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false }

  var exists: Bool { status != nil }

  /// The bytes of a file; nil where it cannot be read.
  var content: [UInt8]? {
    let descriptor = withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { return count == 0 ? result : nil }
      result += buffer[..<count]
    }
  }

  var text: String? { content.map { String(decoding: $0, as: UTF8.self) } }

  /// Where a symbolic link points.
  var linkTarget: String? {
    var buffer = [CChar](repeating: 0, count: 4097)
    let count = withPlatformString { readlink($0, &buffer, 4096) }
    return count < 0
      ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
