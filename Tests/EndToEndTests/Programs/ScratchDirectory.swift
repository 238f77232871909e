import Foundation
import Glibc

/// A directory that goes away with the object.
final class ScratchDirectory: Sendable {
  /// Absolute, without symbolic links.
  let path: String

  init() throws {
    var template = Array("/tmp/pipeline-e2e-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp", "/tmp") }
    path = template.withUnsafeBufferPointer { characters in
      characters.baseAddress.map { String(cString: $0) } ?? ""
    }
    chmod(path, 0o755)
  }

  deinit {
    // Names need not be UTF-8 in here, so this is left to a program that does not mind.
    _ = try? ProgramRun.wait(for: "rm", ["-rf", "--one-file-system", path])
  }

  func appending(_ name: String) -> String { "\(path)/\(name)" }
}

/// A system call that failed while a test was being prepared.
struct SystemFailure: Error, CustomStringConvertible {
  let description: String

  init(_ call: String, _ path: String) {
    description = "\(call) \(path): \(String(cString: strerror(errno)))"
  }
}
