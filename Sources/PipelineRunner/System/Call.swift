import Glibc
import SystemPackage

/// Thin wrappers that turn a failing system call into a ``SystemError`` with its path.
enum Call {
  /// Makes a call on a path; -1 becomes an error.
  static func check(
    _ name: String, _ path: FilePath, _ body: (UnsafePointer<CChar>) -> CInt
  ) throws(SystemError) {
    let status = path.withPlatformString { body($0) }
    guard status == 0 else { throw SystemError(name, path: path.bytes) }
  }

  static func rename(_ source: FilePath, to target: FilePath) throws(SystemError) {
    let status = source.withPlatformString { from in
      target.withPlatformString { Glibc.rename(from, $0) }
    }
    guard status == 0 else { throw SystemError("rename", path: target.bytes) }
  }
}

extension FilePath {
  /// A path from bytes, which hold no NUL.
  init(bytes: some Collection<UInt8>) {
    let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
    self = terminated.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
    }
  }
}

extension String {
  /// The text without blanks and line ends at its end.
  var trimmedLine: String {
    var view = self[...]
    while let last = view.unicodeScalars.last, last == "\n" || last == "\r" || last == " " {
      view = view.dropLast()
    }
    return String(view)
  }
}
