import Glibc
import PipelineDSL

/// A system call that failed: which one, on what, and why.
struct SystemError: Error, Hashable, Sendable {
  /// The call's name, such as `openat2`.
  var call: String
  /// The path it was given, as bytes; empty where the call took none.
  var path: [UInt8]
  /// The value of `errno`.
  var code: CInt

  /// Creates the error of a call, by default with the thread's current `errno`.
  init(_ call: String, path: [UInt8] = [], code: CInt = errno) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// The C library's words for the code.
  var reason: String { String(cString: strerror(code)) }
}

extension SystemError: CustomStringConvertible {
  var description: String {
    path.isEmpty
      ? "\(call): \(reason)" : "\(call) '\(String(decoding: path, as: UTF8.self))': \(reason)"
  }
}

extension SystemError {
  /// The error as a diagnostic that says what was being done.
  func diagnostic(_ doing: String, at location: SourceLocation? = nil) -> Diagnostic {
    Diagnostic("\(doing): \(self)", at: location, help: advice)
  }

  /// What a person can do about it, where that is known.
  private var advice: String? {
    switch code {
    case ENOSPC: "free some space, or point --state-dir at a file system with more"
    case EDQUOT: "the disk quota is used up; free some space"
    case EROFS: "the file system is read-only; point --state-dir at a writable one"
    case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
    default: nil
    }
  }
}
