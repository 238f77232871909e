import Glibc
import PipelineDSL
import SystemPackage

/// A file that an output writes: whole under its name, or not at all.
///
/// Standard output, pipes and devices are written to as they are.
struct OutputFile: ~Copyable {
  private let descriptor: OwnedDescriptor
  private let target: FilePath?
  private let temporary: FilePath?

  /// The open file.
  var raw: CInt { descriptor.raw }

  init(_ destination: OutputSpecification.Destination) throws {
    switch destination {
    case .standardOutput:
      let raw = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
      guard raw >= 0 else { throw SystemError("dup") }
      guard isatty(raw) == 0 else {
        _ = Glibc.close(raw)
        throw Diagnostic(
          "an archive is not written to a terminal",
          help: "give a file with dest=PATH, or send standard output into one")
      }
      descriptor = OwnedDescriptor(owning: raw)
      target = nil
      temporary = nil
    case .path(let path):
      let (raw, isPlain) = try Self.open(path)
      descriptor = OwnedDescriptor(owning: raw.descriptor)
      target = isPlain ? path : nil
      temporary = isPlain ? raw.name : nil
    }
  }

  private static func open(
    _ path: FilePath
  ) throws -> ((descriptor: CInt, name: FilePath), isPlain: Bool) {
    var status = stat()
    let exists = path.withPlatformString { stat($0, &status) } == 0
    if exists, status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic(
        "'\(path)' is a directory, and the output is a file",
        help: "name the file, or write a directory with type=local or tar=false")
    }
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let raw = path.withPlatformString { Glibc.open($0, O_WRONLY | O_CLOEXEC) }
      guard raw >= 0 else {
        throw SystemError("open", path: path.bytes).diagnostic("the output cannot be written")
      }
      return ((raw, path), false)
    }
    let name = FilePath("\(path.string).\(Store.uniqueName()).new")
    let raw = name.withPlatformString {
      Glibc.open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    }
    guard raw >= 0 else {
      throw SystemError("open", path: path.bytes).diagnostic("the output cannot be written")
    }
    return ((raw, name), true)
  }

  /// Gives the file its name.
  consuming func finish() throws {
    let (target, temporary) = (target, temporary)
    do {
      if let target, let temporary { try Call.rename(temporary, to: target) }
    } catch {
      if let temporary { _ = temporary.withPlatformString { unlink($0) } }
      throw error
    }
  }

  /// Leaves nothing behind.
  consuming func abandon() {
    if let temporary { _ = temporary.withPlatformString { unlink($0) } }
  }

  /// Writes a file with a body, and takes it away again where the body fails.
  static func write<Result>(
    _ destination: OutputSpecification.Destination, _ body: (CInt) throws -> Result
  ) throws -> Result {
    let file = try OutputFile(destination)
    let result: Result
    do {
      result = try body(file.raw)
    } catch {
      file.abandon()
      throw (error as? SystemError)?.diagnostic("the output cannot be written") ?? error
    }
    try file.finish()
    return result
  }
}
